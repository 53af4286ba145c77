import { RelayError } from '../errors.js'

/** Bytes of updates per transaction, so that one large room does not hold up the small ones behind it. */
const TRANSACTION_BYTES_MAX = 16 * 1024 * 1024

/** A change of the store. It is stored as a whole or not at all. */
export interface Write {
  /** What it writes to; writes to the same scope are stored in the order of their calls. */
  readonly scope: string
  /** True where `prepare` reads the scope, and so needs all earlier writes to it committed. */
  readonly reads: boolean
  /** About how much it writes, in bytes. */
  readonly bytes: number
  /** Whether it ends a pause. */
  readonly urgent: boolean
  /**
   * Called when its transaction is put together. Whatever may fail happens here and fails this write
   * alone; the returned puts and removes must not throw, for half of them would be committed.
   */
  prepare(): () => void
}

/** Runs all changes in one transaction; resolves when it is on disk, rejects where nothing of it is stored. */
export type Transact = (changes: () => void) => Promise<unknown>

/** So many commits may follow each other without a pause, after a rest. */
const COMMITS_AT_ONCE = 4

/**
 * Group commit. Everything added in one turn of the event loop, for whatever scope, goes into one
 * transaction and shares its flush. Only one transaction is under way: what is added meanwhile waits for
 * the next, so that groups grow with the load, while an idle store commits at once. A pause may be asked
 * for between commits: each costs CPU, however little it writes.
 */
export class CommitQueue {
  readonly #transact: Transact
  readonly #usable: () => boolean
  readonly #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  #stopped: RelayError | undefined
  readonly #pace: Pace
  #endPause: () => void = () => {}
  #isHurried = false

  /**
   * @param usable asked after a failed transaction: false where the store cannot be used any more, so that
   * starting another transaction would never end
   * @param commitEveryMs pause between commits when more than a few follow each other; 0 for none
   */
  constructor(transact: Transact, usable: () => boolean, commitEveryMs = 0) {
    this.#pace = new Pace(COMMITS_AT_ONCE, commitEveryMs)
    this.#transact = transact
    this.#usable = usable
  }

  /**
   * Resolves when the write is on disk.
   * @throws RelayError `log-write` where the disk refused it, `log-closed` where the store takes no more
   */
  async add(write: Write): Promise<void> {
    if (this.#stopped !== undefined) throw this.#stopped
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject })
      this.#running ??= this.#run()
      if (write.urgent) this.#endPause()
    })
  }

  /** Commits what was added so far without a pause. */
  hurry(): void {
    this.#isHurried = this.#waiting.length > 0
    if (this.#isHurried) this.#endPause()
  }

  /** Takes no more writes, and resolves when all earlier ones are settled. */
  async stop(): Promise<void> {
    this.#stopped ??= new RelayError('log-closed', 'the log was closed')
    this.#endPause()
    await this.#running
  }

  /** @throws RelayError `log-closed` after `stop`, or after a failure that the store does not survive */
  checkOpen(): void {
    if (this.#stopped !== undefined) throw this.#stopped
  }

  async #run(): Promise<void> {
    // After the I/O callbacks of this turn: they bring more writes for the same flush.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      await this.#pause()
      await this.#commit(this.#takeGroup())
    }
    this.#running = undefined
  }

  async #pause(): Promise<void> {
    const waitMs = this.#pace.take(performance.now())
    const isUrgent = this.#stopped !== undefined || this.#waiting.some(({ write }) => write.urgent)
    if (waitMs === 0 || isUrgent || this.#isHurried) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs)
      this.#endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#endPause = () => {}
  }

  #takeGroup(): Waiting[] {
    const scopes = new Set<string>()
    let bytes = 0
    let count = 0
    for (const { write } of this.#waiting) {
      if (count > 0 && bytes + write.bytes > TRANSACTION_BYTES_MAX) break
      if (write.reads && scopes.has(write.scope)) break
      scopes.add(write.scope)
      bytes += write.bytes
      count++
    }
    const group = this.#waiting.splice(0, count)
    this.#isHurried &&= this.#waiting.length > 0
    return group
  }

  async #commit(group: Waiting[]): Promise<void> {
    const prepared: Waiting[] = []
    const changes: (() => void)[] = []
    for (const waiting of group) {
      try {
        changes.push(waiting.write.prepare())
        prepared.push(waiting)
      } catch (cause) {
        waiting.reject(refused(cause))
      }
    }
    if (prepared.length === 0) return
    try {
      await this.#transact(() => {
        for (const change of changes) change()
      })
    } catch (cause) {
      const failed = refused(cause)
      for (const { reject } of prepared) reject(failed)
      if (!this.#usable()) this.#stopAfter(failed)
      return
    }
    for (const { resolve } of prepared) resolve()
  }

  #stopAfter(cause: RelayError): void {
    const message = 'the disk failed in the middle of a commit. Check it, then start the relay again'
    this.#stopped = new RelayError('log-closed', message, { cause })
    for (const { reject } of this.#waiting.splice(0)) reject(cause)
  }
}

function refused(cause: unknown): RelayError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new RelayError('log-write', `the disk refused a write (${why}); nothing of it is stored`, { cause })
}

interface Waiting {
  readonly write: Write
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** A token bucket: so many at once after a rest, and then one in each interval. */
export class Pace {
  /** When the next would be due if there had been no rest. */
  #dueMs = Number.NEGATIVE_INFINITY

  constructor(
    private readonly atOnce: number,
    private readonly everyMs: number,
  ) {}

  /** Takes the next turn and returns how long to wait for it. */
  take(nowMs: number): number {
    const dueMs = Math.max(this.#dueMs, nowMs - (this.atOnce - 1) * this.everyMs)
    // Who did not wait for its turn, being in a hurry, must not make the next one wait for it.
    this.#dueMs = Math.min(dueMs, nowMs) + this.everyMs
    return Math.max(0, dueMs - nowMs)
  }
}
