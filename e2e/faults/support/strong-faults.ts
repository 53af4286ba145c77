import type { Random } from './seed.js'
import { others, RELAYS, type RelayId, type StrongCluster } from './strong-cluster.js'
import { pause } from './until.js'

/** Something that goes wrong, and how it ends. */
export interface Fault {
  readonly name: string
  /** Whether two relays, at least, go on and hear each other. */
  readonly leavesMajority: boolean
  readonly begin: (cluster: StrongCluster, random: Random) => Promise<() => Promise<void>>
}

/** What one fault may last, and what may be between two. */
const SHORT_MS_MAX = 1_500
const BETWEEN_MS_MAX = 700
/** Longer than a relay waits for anything. */
const LONG_MS = 12_000
const RECENT_MAX = 200

export const FAULTS: readonly Fault[] = [
  fault('kill one', true, async (cluster, random) => kill(cluster, [random.pick(RELAYS)])),
  fault('kill two', false, async (cluster, random) => kill(cluster, others(random.pick(RELAYS)))),
  fault('kill all', false, async (cluster) => kill(cluster, RELAYS)),
  fault('stop one', true, async (cluster, random) => stop(cluster, [random.pick(RELAYS)])),
  fault('stop two', false, async (cluster, random) => stop(cluster, others(random.pick(RELAYS)))),
  fault('cut one pair', true, async (cluster, random) => {
    const id = random.pick(RELAYS)
    cluster.cut(id, random.pick(others(id)))
    return heal(cluster)
  }),
  fault('cut one off', true, async (cluster, random) => {
    const id = random.pick(RELAYS)
    for (const other of others(id)) cluster.cut(id, other)
    return heal(cluster)
  }),
  fault('cut all', false, async (cluster) => {
    cluster.cut('r1', 'r2')
    cluster.cut('r2', 'r3')
    cluster.cut('r1', 'r3')
    return heal(cluster)
  }),
  fault('one hears and is not heard', true, async (cluster, random) => {
    const id = random.pick(RELAYS)
    for (const other of others(id)) cluster.hold(id, other)
    return heal(cluster)
  }),
  fault('one is heard and does not hear', true, async (cluster, random) => {
    const id = random.pick(RELAYS)
    for (const other of others(id)) cluster.hold(other, id)
    return heal(cluster)
  }),
  fault('one direction held, then the connection lost', true, async (cluster, random) => {
    const id = random.pick(RELAYS)
    const other = random.pick(others(id))
    cluster.hold(id, other)
    return async () => {
      cluster.reset(id, other)
      cluster.heal()
    }
  }),
  fault('connections reset', true, async (cluster, random) => {
    const id = random.pick(RELAYS)
    for (const other of others(id)) cluster.reset(id, other)
    return heal(cluster)
  }),
  fault('slow links', true, async (cluster, random) => {
    for (const [a, b] of [
      ['r1', 'r2'],
      ['r2', 'r3'],
      ['r1', 'r3'],
    ] as const) {
      cluster.delay(a, b, random.below(200))
    }
    return heal(cluster)
  }),
  fault('one killed while another is cut off', false, async (cluster, random) => {
    const id = random.pick(RELAYS)
    const dead = random.pick(others(id))
    for (const other of others(id)) cluster.hold(id, other)
    const revive = await kill(cluster, [dead])
    return async () => {
      cluster.heal()
      await revive()
    }
  }),
]

/** Brings faults about, one after the other, chosen by the seed, until it is stopped. */
export class FaultMaker {
  count = 0
  /** What happened last, and when, on the clock of the histories. */
  readonly recent: string[] = []
  private stopped = false

  constructor(
    private readonly cluster: StrongCluster,
    private readonly random: Random,
    /** How many of them last very long, from 0 to 1. */
    private readonly longShare: number,
    /** Called after each one has ended and before the next. */
    private readonly between: () => Promise<void>,
  ) {}

  async run(): Promise<void> {
    while (!this.stopped) {
      const { name, begin } = this.random.pick(FAULTS)
      this.count++
      this.note(name)
      const end = await begin(this.cluster, this.random)
      await this.wait(this.random.chance(this.longShare) ? LONG_MS : this.random.below(SHORT_MS_MAX))
      await end()
      this.note(`end of ${name}`)
      await this.between()
      await this.wait(this.random.below(BETWEEN_MS_MAX))
    }
  }

  stop(): void {
    this.stopped = true
  }

  private note(what: string): void {
    this.recent.push(`${performance.now().toFixed(0)} ${what}`)
    if (this.recent.length > RECENT_MAX) this.recent.shift()
  }

  private async wait(milliseconds: number): Promise<void> {
    const end = Date.now() + milliseconds
    while (!this.stopped && Date.now() < end) await pause(Math.min(50, end - Date.now()))
  }
}

function fault(name: string, leavesMajority: boolean, begin: Fault['begin']): Fault {
  return { name, leavesMajority, begin }
}

async function kill(cluster: StrongCluster, ids: readonly RelayId[]): Promise<() => Promise<void>> {
  await Promise.all(ids.map((id) => cluster.relay(id).kill()))
  return async () => {
    await Promise.all(ids.map((id) => cluster.startRelay(id)))
  }
}

async function stop(cluster: StrongCluster, ids: readonly RelayId[]): Promise<() => Promise<void>> {
  for (const id of ids) cluster.relay(id).signal('SIGSTOP')
  return async () => {
    for (const id of ids) cluster.relay(id).signal('SIGCONT')
  }
}

function heal(cluster: StrongCluster): () => Promise<void> {
  return async () => cluster.heal()
}
