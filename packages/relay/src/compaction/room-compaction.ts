import type { Log } from '../log/log.js'
import { type LogEntry, type Plan, planCompaction } from './plan.js'
import type { Workers } from './workers.js'

/** What became of a log. */
export interface Compacted extends Plan {
  readonly update: Uint8Array
  readonly bytesLess: number
}

/** How long nothing may have come in for a room to be at rest. */
const REST_MS = 2_000

/** Keeps one room's log short: reads what it has, lets a worker make less of it, puts that in its place. */
export class RoomCompaction {
  private entries: LogEntry[] = []
  private running: Promise<void> | undefined
  private lastAppendMs = performance.now()
  private rewritable = true
  /** Nothing has come in since it was looked at at rest. */
  private rested = false

  constructor(
    private readonly room: string,
    private readonly log: Log,
    private readonly workers: Workers,
    private readonly onCompacted: (compacted: Compacted) => void,
    private readonly onFailed: (error: unknown) => void,
  ) {}

  /** Entries that are on disk. */
  logged(entries: readonly LogEntry[]): void {
    this.entries.push(...entries)
    this.lastAppendMs = performance.now()
    this.rested = false
  }

  /** Looks whether there is something to do. Call after each commit, and now and then. */
  check(nowMs: number): void {
    if (this.running !== undefined) return
    const atRest = !this.rested && nowMs - this.lastAppendMs >= REST_MS
    if (atRest) this.rested = true
    this.start(planCompaction(this.entries, atRest, this.rewritable))
  }

  /** Nobody is here any more: whoever comes next shall find a short log. Resolves when it is. */
  async finish(): Promise<void> {
    await this.running
    if (!this.rested) this.start(planCompaction(this.entries, true, this.rewritable))
    this.rested = true
    await this.running
  }

  /** Resolves when what is under way is done. */
  async idle(): Promise<void> {
    await this.running
  }

  private start(plan: Plan | undefined): void {
    if (plan === undefined) return
    this.running = this.run(plan).finally(() => {
      this.running = undefined
    })
  }

  private async run({ kind, from, upTo }: Plan): Promise<void> {
    try {
      const updates: Uint8Array[] = []
      for await (const { position, update } of this.log.load(this.room, from)) {
        if (position > upTo) break
        updates.push(update)
      }
      const [update] = await this.workers.run({ kind, updates }).catch((error: unknown) => {
        // There are updates that Yjs cannot integrate; such a log is merged as it is.
        if (kind === 'rewrite') this.rewritable = false
        throw error
      })
      await this.log.replace(this.room, from, upTo, update!)
      const before = updates.reduce((sum, { length }) => sum + length, 0)
      this.replaceEntries(from, upTo, update!.length)
      this.onCompacted({ kind, from, upTo, update: update!, bytesLess: before - update!.length })
    } catch (error) {
      this.onFailed(error)
    }
  }

  private replaceEntries(from: number, upTo: number, bytes: number): void {
    this.entries = [
      ...this.entries.filter(({ position }) => position < from),
      { position: upTo, bytes },
      ...this.entries.filter(({ position }) => position > upTo),
    ]
  }
}
