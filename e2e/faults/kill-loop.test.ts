import { cpSync } from 'node:fs'
import path from 'node:path'
import type { Space } from '@skein/agent'
import { expect, test } from 'vitest'
import type * as Y from 'yjs'
import { AgentWriter, joinAgent } from './support/agent-writer.js'
import { Auditor } from './support/auditor.js'
import { NumberedWriter } from './support/numbered-writer.js'
import { fingerprint, mustReadSpace } from './support/raw-client.js'
import { RelayProcess, temporaryDirectory } from './support/relay-process.js'
import { type Random, seededRandom, setting } from './support/seed.js'
import { type After, pause, until } from './support/until.js'

const KILLS = setting('kills', 10)
/** Kills before the writers go to new spaces: a space grows all the time, and the audit with it. */
const KILLS_PER_GENERATION = 25

/** The spaces of one generation of writers, and what was acknowledged in each. */
interface Generation {
  readonly audits: Map<string, Auditor>
  readonly agents: AgentWriter[]
  readonly raw: NumberedWriter[]
}

test(
  `a relay killed ${KILLS} times has everything that it acknowledged`,
  async ({ onTestFinished: after }) => {
    const random = seededRandom('kill-loop')
    const data = temporaryDirectory(after)
    const stores = temporaryDirectory(after)
    let relay = await RelayProcess.start(after, { data })
    const audits = new Map<string, Auditor>()
    let generation: Generation | undefined
    for (let kill = 1; kill <= KILLS; kill++) {
      if (generation === undefined) {
        generation = await startGeneration(after, `g${kill}`, relay, stores, random)
        for (const [space, auditor] of generation.audits) audits.set(space, auditor)
      }
      await momentToKill(generation, random)
      await relay.kill()
      await audit(after, data, audits, random)
      relay = await RelayProcess.start(after, { data, port: relay.port })
      reconnect(after, generation, relay, random)
      report(kill, audits)
      if (kill % KILLS_PER_GENERATION === 0 || kill === KILLS) {
        await converge(after, generation, relay)
        generation = undefined
      }
    }
    expect(total(audits)).toBeGreaterThan(KILLS)
  },
  60_000 + KILLS * 15_000,
)

test('the audit notices a relay that lost what it acknowledged', async ({ onTestFinished: after }) => {
  const random = seededRandom('kill-loop')
  const auditor = new Auditor()
  const writer = new NumberedWriter({ name: 'raw', space: 'space', auditor, random })
  const data = temporaryDirectory(after)
  const old = path.join(temporaryDirectory(after), 'old')
  for (const stage of ['before', 'after']) {
    const relay = await RelayProcess.start(after, { data })
    writer.connect(after, relay.url)
    await until('the writer is connected', () => writer.connected)
    for (let i = 0; i < 20; i++) writer.write()
    await until('acknowledgements', () => writer.waiting === 0)
    await relay.end('SIGTERM')
    if (stage === 'before') cpSync(data, old, { recursive: true })
  }
  await audit(after, data, new Map([['space', auditor]]), random)
  // A disk from before the second stage is what a relay would have that acknowledged too early.
  await expect(audit(after, old, new Map([['space', auditor]]), random)).rejects.toThrow(/keys are wrong/)
})

async function startGeneration(
  after: After,
  name: string,
  relay: RelayProcess,
  stores: string,
  random: Random,
): Promise<Generation> {
  const audits = new Map<string, Auditor>()
  const agents: AgentWriter[] = []
  const raw: NumberedWriter[] = []
  for (const space of [`${name}-a`, `${name}-b`]) {
    const auditor = new Auditor()
    audits.set(space, auditor)
    const onDisk = await joinAgent(after, { space, url: relay.url, dataDir: path.join(stores, name) })
    const inMemory = await joinAgent(after, { space, url: relay.url })
    agents.push(new AgentWriter(onDisk, 'disk', auditor, random))
    agents.push(new AgentWriter(inMemory, 'memory', auditor, random))
    for (const writer of ['raw-1', 'raw-2']) {
      raw.push(new NumberedWriter({ name: writer, space, auditor, random }))
    }
  }
  for (const writer of raw) writer.connect(after, relay.url)
  for (const writer of [...agents, ...raw]) {
    void writer.run(after)
  }
  return { audits, agents, raw }
}

/** Mostly under full load, sometimes while the first writers are coming back, each time a little later. */
async function momentToKill({ audits, raw }: Generation, random: Random): Promise<void> {
  const from = total(audits)
  if (!random.chance(0.15)) {
    const atLeast = from + 1 + random.below(200)
    await until('acknowledgements', () => total(audits) >= atLeast && raw.every((writer) => writer.connected))
  }
  await pause(random.below(60))
}

/** Only the disk may answer: on another port, where no writer can help it. */
async function audit(
  after: After,
  data: string,
  audits: Map<string, Auditor>,
  random: Random,
): Promise<void> {
  const relay = await RelayProcess.start(after, { data })
  for (const [space, auditor] of audits) {
    const doc = await mustReadSpace(after, relay.url, space)
    const complaints = auditor.complaints(stateOf(doc))
    expect(
      complaints.slice(0, 10),
      `${space}: ${complaints.length} of ${auditor.keys} keys are wrong`,
    ).toEqual([])
    doc.destroy()
  }
  // A relay that has just loaded everything is killed, too, or stops in order.
  await relay.end(random.chance(0.5) ? 'SIGKILL' : 'SIGTERM')
}

function reconnect(after: After, { agents, raw }: Generation, relay: RelayProcess, random: Random): void {
  for (const writer of raw) writer.connect(after, relay.url)
  // Some at once, as after a click, the others when their backoff lets them.
  for (const { space } of agents) if (random.chance(0.7)) space.connect()
}

/** Everybody stops writing; then nothing may be open, and all must be equal to what the relay has. */
async function converge(after: After, { audits, agents, raw }: Generation, relay: RelayProcess) {
  for (const writer of [...agents, ...raw]) writer.stop()
  const open = () => [...agents, ...raw].map(({ waiting }) => waiting)
  await until(
    () => `acknowledgements of everything; open are ${open()}`,
    () => open().every((count) => count === 0),
    60_000,
  )
  for (const [space, auditor] of audits) {
    const here = agents.map((writer) => writer.space).filter(({ name }) => name === space)
    await until('equal digests', () => new Set(here.map((agent) => agent.digest())).size === 1)
    const doc = await mustReadSpace(after, relay.url, space)
    expect(auditor.complaints(stateOf(doc))).toEqual([])
    for (const agent of here) expect(fingerprint(agent.doc)).toEqual(fingerprint(doc))
  }
  await Promise.all(agents.map((writer) => leave(writer.space)))
  for (const writer of raw) writer.disconnect()
}

async function leave(space: Space): Promise<void> {
  expect(space.status).toMatchObject({ connection: 'live', queued: 0, unsaved: 0, error: undefined })
  await space.leave()
}

function stateOf(doc: Y.Doc): Map<string, unknown> {
  return new Map(doc.getMap('state').entries())
}

function total(audits: Map<string, Auditor>): number {
  return [...audits.values()].reduce((sum, { count }) => sum + count, 0)
}

function report(kill: number, audits: Map<string, Auditor>): void {
  if (KILLS <= 10 || kill % 10 !== 0) return
  console.log(`kill ${kill} of ${KILLS}: ${total(audits)} acknowledgements, all found`)
}
