import type { Random } from './seed.js'
import type { StrongClient } from './strong-client.js'
import { RELAYS, type StrongCluster } from './strong-cluster.js'
import type { Seen } from './strong-history.js'
import { pause } from './until.js'

/** One that proposes a value for a key that has none, and goes on asking until it knows what was decided. */
export async function propose(
  client: StrongClient,
  cluster: StrongCluster,
  random: Random,
  key: string,
  data: string,
  id: string,
): Promise<string | undefined> {
  const proposal = { kind: 'write', data, condition: { kind: 'absent' } } as const
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const relay = cluster.relay(random.pick(RELAYS))
    const reply = await client.send(relay.http, key, proposal, { id, deadlineMs: 1_000 })
    if (reply.kind === 'done') return data
    if (reply.kind === 'conflict') return reply.seen.data
    await pause(random.below(100))
  }
  throw new Error(`${id} was never told what was decided for ${key}; ${cluster.output}`)
}

const ATTEMPTS_MAX = 100

/** Writes, over any relay, until it is told that it is written. */
export async function mustWrite(
  client: StrongClient,
  cluster: StrongCluster,
  key: string,
  data: string,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const relay = cluster.relay(RELAYS[attempt % RELAYS.length]!)
    const reply = await client.send(relay.http, key, { kind: 'write', data }, { deadlineMs: 2_000 })
    if (reply.kind === 'done') return
    await pause(20)
  }
  throw new Error(`${key} could not be written; ${cluster.output}`)
}

/** Reads, over one relay or any, until there is an answer. */
export async function mustRead(
  client: StrongClient,
  cluster: StrongCluster,
  key: string,
  over: readonly (typeof RELAYS)[number][] = RELAYS,
): Promise<Seen> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const relay = cluster.relay(over[attempt % over.length]!)
    const reply = await client.send(relay.http, key, { kind: 'read' }, { deadlineMs: 2_000 })
    if (reply.kind === 'value') return reply.seen
    await pause(20)
  }
  throw new Error(`${key} could not be read; ${cluster.output}`)
}
