import { CLOSE } from '@skein/protocol'
import { expect, test } from 'vitest'
import { AgentWriter, joinAgent } from './support/agent-writer.js'
import { Auditor } from './support/auditor.js'
import { type HostileFrame, hostileFrame } from './support/hostile-frames.js'
import { attack } from './support/hostile-sockets.js'
import { fingerprint, mustReadSpace, RawClient } from './support/raw-client.js'
import { RelayProcess, temporaryDirectory } from './support/relay-process.js'
import { Random, seededRandom, setting } from './support/seed.js'
import { type After, inParallel, until } from './support/until.js'

const FRAMES = setting('frames', 4_000)
const FRAMES_PER_CLIENT_MAX = 8
const SHORT_CLIENTS = 1_000
const AT_ONCE = 10
/** Where the honest agents are. Only frames that bring no update go there. */
const HONEST = 'honest'
/** Where hostile updates go: Yjs cannot make sense of all that is well-formed (P63). */
const WILD = 'wild'
const DOCUMENTED: readonly number[] = [
  CLOSE.frameTooLarge,
  CLOSE.malformedFrame,
  CLOSE.noCommonVersion,
  CLOSE.wrongEpoch,
  CLOSE.malformedUpdate,
]

test(
  `${FRAMES} hostile frames end their senders' connections and nothing else`,
  async ({ onTestFinished: after }) => {
    const random = seededRandom('frame-fuzz')
    const relay = await RelayProcess.start(after, { data: temporaryDirectory(after) })
    const auditor = new Auditor()
    const agents = [
      await joinAgent(after, { space: HONEST, url: relay.url, dataDir: temporaryDirectory(after) }),
      await joinAgent(after, { space: HONEST, url: relay.url }),
    ]
    const states = agents.map((agent) => {
      const seen = new Set<string>()
      agent.onStatus(({ connection }) => seen.add(connection))
      return seen
    })
    await until('both are live', () => agents.every(({ status }) => status.connection === 'live'))
    for (const seen of states) seen.clear()
    const writers = agents.map((agent, index) => new AgentWriter(agent, `agent-${index}`, auditor, random))
    const running = writers.map((writer) => writer.run(after))

    const codes = await fuzz(after, relay, random)
    expect(relay.exit, relay.output).toBeUndefined()
    expect(relay.output).not.toMatch(/room-failed|write-failed|request-failed|^\s+at /m)
    console.log(`frame-fuzz: closed with ${JSON.stringify(Object.fromEntries(codes))}`)
    expect([...codes.keys()].filter((code) => !DOCUMENTED.includes(code))).toEqual([])
    expect(codes.get(CLOSE.malformedFrame)).toBeGreaterThan(10)

    for (const writer of writers) writer.stop()
    await Promise.all(running)
    await until('acknowledgements', () => writers.every(({ waiting }) => waiting === 0))
    expect(auditor.count).toBeGreaterThan(20)
    await until('equal digests', () => agents[0]!.digest() === agents[1]!.digest())
    const doc = await mustReadSpace(after, relay.url, HONEST)
    expect(auditor.complaints(new Map(doc.getMap('state').entries()))).toEqual([])
    expect(fingerprint(agents[0]!.doc)).toEqual(fingerprint(doc))
    // They were not even disturbed.
    expect(states.map((seen) => [...seen].filter((connection) => connection !== 'live'))).toEqual([[], []])
    const remaining = async () => (await relay.metric('skein_connections')) === agents.length
    await until('only the agents are connected', remaining)
  },
  120_000 + FRAMES * 20,
)

/** @returns how often each close code came */
async function fuzz(after: After, relay: RelayProcess, random: Random): Promise<Map<number, number>> {
  const codes = new Map<number, number>()
  const clients = Math.ceil(FRAMES / (FRAMES_PER_CLIENT_MAX / 2))
  await inParallel([...Array(clients).keys()], AT_ONCE, async (index) => {
    // A seed of its own: the order of clients depends on the machine's timing.
    const own = new Random(random.seed + index)
    if (own.chance(0.2)) await attack(after, relay.port, own)
    const code = await hostileClient(after, relay, own)
    if (code !== undefined) codes.set(code, (codes.get(code) ?? 0) + 1)
    if (clients > SHORT_CLIENTS && index % 1000 === 0) console.log(`client ${index} of ${clients}`)
  })
  return codes
}

/** Sends some frames and waits until the relay has dealt with them. @returns what it was closed with */
async function hostileClient(after: After, relay: RelayProcess, random: Random) {
  const frames = Array.from({ length: 1 + random.below(FRAMES_PER_CLIENT_MAX) }, () => hostileFrame(random))
  const isTame = frames.every(({ writes }) => !writes)
  const barrier = 2 ** 50 + random.below(2 ** 30)
  let passed = () => {}
  const barrierPassed = new Promise<void>((resolve) => {
    passed = resolve
  })
  const client = new RawClient(relay.url, isTame ? HONEST : WILD, {
    skein: random.chance(0.5),
    onMessage: (message) => {
      if (message.type === 'pong' && message.pingSentAtUs === barrier) passed()
    },
  })
  after(() => client.terminate())
  await client.opened
  for (const { bytes } of frames) client.sendBytes(bytes)
  client.send({ type: 'ping', sentAtUs: barrier })
  await Promise.race([barrierPassed, client.closed])
  const { code } = client
  client.terminate()
  const said = frames.map(shown).join('\n')
  if (code !== undefined) expect(DOCUMENTED, `closed with ${code} after\n${said}`).toContain(code)
  // Before the first that does not decode another may have ended it, but the barrier is never reached.
  if (frames.some(({ undecodable }) => undecodable)) expect(code, `not closed after\n${said}`).toBeDefined()
  if (frames[0]!.undecodable) expect(code, said).toBe(CLOSE.malformedFrame)
  return code
}

function shown({ bytes }: HostileFrame): string {
  return typeof bytes === 'string' ? `text ${bytes}` : Buffer.from(bytes).toString('hex').slice(0, 400)
}
