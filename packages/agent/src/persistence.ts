import { type ClockRange, EditRanges, mergeUpdates } from '@skein/sync'
import { SkeinError } from './errors.js'
import type { Store } from './store/store.js'

/** How long after a failed write the store is tried again. */
const RETRY_MS = 5_000
/** Pause after the last confirmation before the number of waiting edits is stored. */
const QUEUED_SETTLE_MS = 300
/** A write of the number failed, so it is not known which one is stored. */
const UNKNOWN = -1

/**
 * Writes every update to the store and knows which edits are on disk. A write that fails is kept in
 * memory and tried again; meanwhile `error` tells.
 */
export class Persistence {
  error: SkeinError | undefined
  /** Numbers of edits not on disk yet, ascending. */
  private readonly pendingEdits = new Set<number>()
  private readonly ranges = new EditRanges()
  /** Updates that the store refused, merged into one, with the edits they hold. */
  private refused: { update: Uint8Array; edits: number[] } | undefined
  private retryTimer: ReturnType<typeof setTimeout> | undefined
  private queuedTimer: ReturnType<typeof setTimeout> | undefined
  /** The number of waiting edits that the store was last given. */
  private storedQueued: number
  /** The epoch, where the store was not given it yet. */
  private unstoredEpoch: string | undefined
  /** The declared prefixes, where the store was not given them yet. */
  private unstoredStrong: readonly string[] | undefined
  private closed = false

  /**
   * @param storedQueued the number of waiting edits that the store holds
   * @param queued edits that wait for a relay, now
   * @param changed `unsaved` or `error` may be different
   */
  constructor(
    readonly store: Store,
    storedQueued: number,
    private readonly queued: () => number,
    private readonly changed: () => void,
  ) {
    this.storedQueued = storedQueued
  }

  /** Edits not on disk yet; 0 with a store that keeps nothing. */
  get unsaved(): number {
    return this.pendingEdits.size
  }

  /** The structs of the edits that are not on disk yet. */
  get unsavedRanges(): readonly ClockRange[] {
    return this.ranges.all
  }

  /** Whether every edit up to this number is on disk. */
  isSaved(edit: number): boolean {
    if (this.store.kind === 'memory') return false
    for (const pending of this.pendingEdits) if (pending <= edit) return false
    return true
  }

  /** Stores an update; `edit` is its number if it was made here. */
  add(update: Uint8Array, edit?: number): void {
    if (this.store.kind === 'memory' || this.closed) return
    if (edit !== undefined) {
      this.pendingEdits.add(edit)
      this.ranges.add(edit, update)
    }
    const edits = edit === undefined ? [] : [edit]
    if (this.refused === undefined) void this.write(update, edits)
    else this.keep(update, edits)
  }

  /** Stores the number of waiting edits once it has settled. */
  queuedChanged(): void {
    if (this.store.kind === 'memory' || this.closed) return
    clearTimeout(this.queuedTimer)
    this.queuedTimer = setTimeout(() => void this.storeQueued(), QUEUED_SETTLE_MS)
  }

  /** Stores the epoch; a failure is told, and tried again, like that of an update. */
  async setEpoch(epoch: string): Promise<void> {
    this.unstoredEpoch = epoch
    await this.storeEpoch()
  }

  /** Stores the prefixes of strong keys; a failure is told and tried again, too. */
  async setStrong(prefixes: readonly string[]): Promise<void> {
    this.unstoredStrong = prefixes
    await this.storeStrong()
  }

  async close(): Promise<void> {
    this.closed = true
    clearTimeout(this.retryTimer)
    clearTimeout(this.queuedTimer)
    if (this.refused !== undefined) await this.retry()
    await this.storeQueued()
    await this.store.close()
  }

  private async write(update: Uint8Array, edits: number[]): Promise<void> {
    const queued = this.queued()
    // At the call, not at its end: the store takes calls in their order, and the next one compares.
    this.storedQueued = queued
    try {
      await this.store.append(update, queued)
    } catch (error) {
      this.storedQueued = UNKNOWN
      this.keep(update, edits)
      this.failed(error)
      return
    }
    for (const edit of edits) {
      this.pendingEdits.delete(edit)
      this.ranges.delete(edit)
    }
    if (this.refused === undefined) this.error = undefined
    this.changed()
  }

  private failed(error: unknown): void {
    this.error =
      error instanceof SkeinError
        ? error
        : new SkeinError('store-unavailable', `the store failed: ${String(error)}`, { cause: error })
    if (!this.closed) this.retryTimer ??= setTimeout(() => void this.retry(), RETRY_MS)
    this.changed()
  }

  private async retry(): Promise<void> {
    this.retryTimer = undefined
    if (this.refused === undefined) {
      this.error = undefined
      await this.storeEpoch()
      await this.storeStrong()
      await this.storeQueued()
      this.changed()
      return
    }
    await this.storeEpoch()
    await this.storeStrong()
    const { update, edits } = this.refused
    this.refused = undefined
    await this.write(update, edits)
  }

  private keep(update: Uint8Array, edits: number[]): void {
    this.refused =
      this.refused === undefined
        ? { update, edits }
        : { update: mergeUpdates([this.refused.update, update]), edits: [...this.refused.edits, ...edits] }
  }

  private async storeEpoch(): Promise<void> {
    const epoch = this.unstoredEpoch
    if (epoch === undefined) return
    this.unstoredEpoch = undefined
    try {
      await this.store.setEpoch(epoch)
    } catch (error) {
      this.unstoredEpoch ??= epoch
      this.failed(error)
    }
  }

  private async storeStrong(): Promise<void> {
    const prefixes = this.unstoredStrong
    if (prefixes === undefined) return
    this.unstoredStrong = undefined
    try {
      await this.store.setStrong(prefixes)
    } catch (error) {
      this.unstoredStrong ??= prefixes
      this.failed(error)
    }
  }

  private async storeQueued(): Promise<void> {
    const queued = this.queued()
    if (this.store.kind === 'memory' || queued === this.storedQueued) return
    this.storedQueued = queued
    try {
      await this.store.setQueued(queued)
    } catch (error) {
      this.storedQueued = UNKNOWN
      this.failed(error)
    }
  }
}
