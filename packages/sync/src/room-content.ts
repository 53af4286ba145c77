import { EMPTY_UPDATE, mergeUpdates } from './merge.js'

/** Log entries from which compaction pays: loading fewer is quick. */
export const COMPACT_ENTRIES_MIN = 1_000

/** A room's content as bytes: one merged update, and what came since. */
export class RoomContent {
  private merged: Uint8Array = EMPTY_UPDATE
  private tail: Uint8Array[] = []
  private tailBytes = 0
  /** Entries that the log holds. */
  private logEntries = 0

  /** At most so many bytes as one update; `state()` makes it exact. */
  get bytes(): number {
    return this.merged.length + this.tailBytes
  }

  /** Adds what has become a log entry. */
  add(update: Uint8Array): void {
    this.tail.push(update)
    this.tailBytes += update.length
    this.logEntries++
    // Merging when the tail has outgrown the rest costs each byte a bounded number of copies.
    if (this.tail.length >= COMPACT_ENTRIES_MIN && this.tailBytes >= this.merged.length) this.state()
  }

  /** All of it as one update. */
  state(): Uint8Array {
    if (this.tail.length > 0) {
      // The tail first: it is many small ones, what is merged may be large.
      this.merged = mergeUpdates([this.merged, mergeUpdates(this.tail)])
      this.tail = []
      this.tailBytes = 0
    }
    return this.merged
  }

  /** All of it to put in the place of the log's entries, where that pays; then the log holds one. */
  compaction(): Uint8Array | undefined {
    if (this.logEntries < COMPACT_ENTRIES_MIN) return undefined
    this.logEntries = 1
    return this.state()
  }
}
