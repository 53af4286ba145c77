import type { Space } from '@skein/agent'
import { expect, test } from 'vitest'
import { joinAgent } from './support/agent-writer.js'
import { Random, seededRandom, setting } from './support/seed.js'
import { RELAYS, type RelayId, StrongCluster } from './support/strong-cluster.js'
import { FaultMaker } from './support/strong-faults.js'
import { pause, until } from './support/until.js'

const MINUTES = setting('mesh-minutes', 0)
const RUN_MS = MINUTES === 0 ? 10_000 : MINUTES * 60_000
const PROGRESS_EVERY_MS = 30_000
/** Connections come back, backoffs end, rooms are compared. */
const RECOVERY_MS_MAX = 90_000
/** Edits of one agent that wait for their receipts. */
const OPEN_MAX = 50

/** An agent of one relay; it counts what it was told to be on the disks of a majority. */
class QuorumWriter {
  readonly confirmed: string[] = []
  written = 0
  private readonly open = new Set<Promise<void>>()
  private isStopped = false

  constructor(
    private readonly name: string,
    readonly space: Space,
    private readonly random: Random,
  ) {}

  async run(): Promise<void> {
    while (!this.isStopped) {
      if (this.open.size < OPEN_MAX) this.write()
      await pause(this.random.below(40))
    }
  }

  stop(): void {
    this.isStopped = true
  }

  private write(): void {
    const key = `${this.name}/${++this.written}`
    const receipt = this.space.commit(() => this.space.set(key, this.written))
    const waiting = receipt.durable('quorum').then(
      () => void this.confirmed.push(key),
      // The test is over.
      () => {},
    )
    this.open.add(waiting)
    void waiting.then(() => this.open.delete(waiting))
  }
}

test(
  'agents of three relays come to hold the same, and what a majority has survives the loss of any relay',
  async ({ onTestFinished: after }) => {
    const random = seededRandom('mesh-soak')
    const cluster = await StrongCluster.start(after, { prefix: 'lock/' })
    const urlOf = (id: RelayId) => cluster.relay(id).url
    const writers: QuorumWriter[] = []
    for (const id of RELAYS) {
      const space = await joinAgent(after, { space: 'space', url: urlOf(id) })
      writers.push(new QuorumWriter(id, space, new Random(random.seed + writers.length + 1)))
    }
    let isOver = false
    const faults = new FaultMaker(cluster, random, 0, async () => {
      const before = writers.map(({ confirmed }) => confirmed.length)
      const hasMore = () => isOver || writers.every(({ confirmed }, i) => confirmed.length > before[i]!)
      await until(() => `edits are confirmed again; ${cluster.output}`, hasMore, RECOVERY_MS_MAX)
    })
    const report = () => {
      const [written, confirmed] = [
        sum(writers.map((w) => w.written)),
        sum(writers.map((w) => w.confirmed.length)),
      ]
      console.log(`mesh-soak: ${written} edits, ${confirmed} on a majority's disks, ${faults.count} faults`)
    }
    const reporting = setInterval(report, PROGRESS_EVERY_MS)
    after(() => clearInterval(reporting))

    const working = [faults, ...writers].map((each) => each.run())
    await Promise.race([pause(RUN_MS), Promise.all(working)])
    isOver = true
    for (const each of [faults, ...writers]) each.stop()
    await Promise.all(working)
    cluster.heal()

    const digests = () => new Set(writers.map(({ space }) => space.digest()))
    await until(
      () => `all hold the same; ${cluster.output}`,
      () => digests().size === 1,
      RECOVERY_MS_MAX,
    )
    const confirmed = writers.flatMap((writer) => writer.confirmed)
    const all = writers[0]!.space.entries().length
    expect(all).toBe(sum(writers.map(({ written }) => written)))
    for (const { space } of writers) await space.leave()
    // Two of three, whichever: one that has lost its disk for good is no loss.
    await Promise.all(RELAYS.map((id) => cluster.relay(id).kill()))
    const left = random.pick(RELAYS)
    await Promise.all(RELAYS.filter((id) => id !== left).map((id) => cluster.startRelay(id)))
    const reader = await joinAgent(after, { space: 'space', url: urlOf(RELAYS.find((id) => id !== left)!) })
    const missing = () => confirmed.filter((key) => reader.get(key) === undefined)
    await until(
      () => `nothing is missing: ${missing().slice(0, 5)}`,
      () => missing().length === 0,
      RECOVERY_MS_MAX,
    )
    report()
    expect(confirmed.length).toBeGreaterThan(20)
  },
  RUN_MS * 2 + 300_000,
)

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
