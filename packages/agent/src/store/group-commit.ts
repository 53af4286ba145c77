import { SkeinError } from '../errors.js'

/** One call of `append`, `setQueued`, `setEpoch` or `setStrong` that waits for the disk; what it does not name stays. */
export interface Write {
  readonly update?: Uint8Array
  readonly queued?: number
  readonly epoch?: string
  readonly strong?: readonly string[]
}

/**
 * Lets appends share transactions. While one transaction is in flight, whatever is appended waits and
 * goes into the next one, so that a slow disk is flushed no more often than it can be.
 *
 * `commit` stores some writes in one transaction, in order: it resolves when all of them are on disk,
 * and rejects when none of them is. It is never called again before it has settled.
 */
export class GroupCommit {
  readonly #commit: (writes: readonly Write[]) => Promise<void>
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  #closed = false

  constructor(commit: (writes: readonly Write[]) => Promise<void>) {
    this.#commit = commit
  }

  /**
   * Settles as the transaction does that this write is part of. The bytes are copied.
   * @throws SkeinError `store-unavailable` after `close`, otherwise what `commit` throws
   */
  add(change: Write): Promise<void> {
    if (this.#closed) return Promise.reject(new SkeinError('store-unavailable', 'The store is closed.'))
    // An own buffer: the caller's may change before it is written, and IndexedDB would store the whole
    // frame of which the update is a part.
    const { update } = change
    const write = update === undefined ? change : { ...change, update: new Uint8Array(update) }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Takes no more writes, and resolves when all earlier ones have settled. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // Calls of one tick share the first transaction too.
    await undefined
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, COMMIT_WRITES_MAX)
      try {
        await this.#commit(group.map((waiting) => waiting.write))
        for (const waiting of group) waiting.resolve()
      } catch (error) {
        for (const waiting of group) waiting.reject(error)
      }
    }
    this.#running = undefined
  }
}

interface Waiting {
  readonly write: Write
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/**
 * Writes in one transaction. Bounds what one failure takes with it and how long others are kept from
 * the disk; a flush costs as much as some hundred writes.
 */
const COMMIT_WRITES_MAX = 1000

/** What holds beside the updates after some writes, where it changes. */
export function lastOf(writes: readonly Write[]): Omit<Write, 'update'> {
  const last: { queued?: number; epoch?: string; strong?: readonly string[] } = {}
  for (const { queued, epoch, strong } of writes) {
    if (queued !== undefined) last.queued = queued
    if (epoch !== undefined) last.epoch = epoch
    if (strong !== undefined) last.strong = strong
  }
  return last
}
