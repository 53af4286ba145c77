import { writeAwarenessEntries } from '@skein/protocol'
import { expect, test } from 'vitest'
import { RawClient } from './support/raw-client.js'
import { RelayProcess, temporaryDirectory } from './support/relay-process.js'
import { type Random, seededRandom, setting } from './support/seed.js'
import { inParallel, until } from './support/until.js'

const SHORT = 500
const JOINS = setting('joins', SHORT)
const SPACES = 20
const AT_ONCE = 50
/** An empty room leaves memory after 30 s. */
const IDLE_WITHIN_MS = 60_000
/** What the second half of many joins may add to what the first half left. */
const GROWTH_MIB_MAX = 25

test(
  `${JOINS} clients that came and went leave nothing behind`,
  async ({ onTestFinished: after }) => {
    const random = seededRandom('leaks')
    const relay = await RelayProcess.start(after, { data: temporaryDirectory(after) })
    const half = async () => {
      await joinAndLeave(relay, random, JOINS / 2)
      expect(await relay.metric('skein_rooms')).toBe(SPACES)
      await until('connections fall to 0', async () => (await relay.metric('skein_connections')) === 0)
      return relay.rssMiB()
    }
    const first = await half()
    const second = await half()
    console.log(`leaks: ${first} MiB after ${JOINS / 2} joins, ${second} MiB after ${JOINS}`)
    // A few hundred joins show nothing: the heap has not even been collected once.
    if (JOINS > SHORT) expect(second - first).toBeLessThan(GROWTH_MIB_MAX)
    const empty = async () => (await relay.metric('skein_rooms')) === 0
    await until('rooms fall to 0', empty, IDLE_WITHIN_MS)
  },
  120_000 + JOINS * 50,
)

async function joinAndLeave(relay: RelayProcess, random: Random, times: number) {
  await inParallel([...Array(times).keys()], AT_ONCE, async (index) => {
    if (JOINS > SHORT && index % 1000 === 0) console.log(`${index} of ${times} in this half`)
    await visit(relay, `room-${index % SPACES}`, random)
  })
}

/** Comes, asks, often says that it is present, and goes in one way or another. */
async function visit(relay: RelayProcess, space: string, random: Random): Promise<void> {
  let answered = () => {}
  const answer = new Promise<void>((resolve) => {
    answered = resolve
  })
  const client = new RawClient(relay.url, space, {
    skein: random.chance(0.5),
    onMessage: ({ type }) => {
      if (type === 'sync-step-2') answered()
    },
  })
  if (random.chance(0.05)) {
    // Before it was even in.
    client.terminate()
    await client.closed
    return
  }
  await client.opened
  if (random.chance(0.7)) client.send(presenceOf(random.below(2 ** 32)))
  client.send({ type: 'sync-step-1', stateVector: Uint8Array.of(0) })
  if (!random.chance(0.1)) await Promise.race([answer, client.closed])
  if (random.chance(0.5)) client.close()
  else client.terminate()
  await client.closed
}

function presenceOf(client: number) {
  const state = new TextEncoder().encode('{"name":"visitor"}')
  return { type: 'awareness', update: writeAwarenessEntries([{ client, clock: 1, state }]) } as const
}
