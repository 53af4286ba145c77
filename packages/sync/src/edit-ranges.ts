import { scanUpdate } from '@skein/protocol'

/** Structs of one client, in Yjs's own terms: `[clock, clock + length)`. */
export interface ClockRange {
  readonly clientId: number
  readonly clock: number
  readonly length: number
}

/**
 * Which structs edits hold that have not reached some safety yet. Deletions have no clocks, so an edit
 * that only deletes has no range.
 */
export class EditRanges {
  private readonly edits = new Map<number, readonly ClockRange[]>()
  private merged: readonly ClockRange[] | undefined = NONE

  add(edit: number, update: Uint8Array): void {
    const ranges: ClockRange[] = []
    scanUpdate(update, {
      structs: (clientId, clock, length) => ranges.push({ clientId, clock, length }),
      deletion() {},
    })
    if (ranges.length === 0) return
    this.edits.set(edit, ranges)
    this.merged = undefined
  }

  /** One edit is safe. */
  delete(edit: number): void {
    if (this.edits.delete(edit)) this.merged = undefined
  }

  /** All edits up to this one are safe. */
  deleteUpTo(edit: number): void {
    // In the order of their numbers.
    for (const known of this.edits.keys()) {
      if (known > edit) return
      this.delete(known)
    }
  }

  /** By client and clock, neighbours as one; the same array as long as nothing changes. */
  get all(): readonly ClockRange[] {
    this.merged ??= mergedRanges([...this.edits.values()].flat())
    return this.merged
  }
}

const NONE: readonly ClockRange[] = []

function mergedRanges(ranges: readonly ClockRange[]): readonly ClockRange[] {
  if (ranges.length === 0) return NONE
  const merged: ClockRange[] = []
  for (const range of [...ranges].sort((a, b) => a.clientId - b.clientId || a.clock - b.clock)) {
    const last = merged.at(-1)
    const isNext = last?.clientId === range.clientId && last.clock + last.length >= range.clock
    if (last === undefined || !isNext) merged.push(range)
    else {
      const end = Math.max(last.clock + last.length, range.clock + range.length)
      merged[merged.length - 1] = { ...last, length: end - last.clock }
    }
  }
  return merged
}
