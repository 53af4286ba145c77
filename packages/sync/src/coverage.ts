import { digestOf, scanUpdate, type UpdateSink } from '@skein/protocol'
import { RangeSet } from './range-set.js'

/**
 * What a set of updates contains, without a Y.Doc: the ids of its structs and of its deletions. It tells
 * a room whether an update brings anything new: every reconnect sends the whole delete set again, and
 * a log that kept it each time would grow with every connection.
 *
 * It does not know deletions that Yjs derives while it integrates (the loser of two concurrent writes to
 * a map key, children of a deleted parent) before some replica has sent all it has.
 */
export class Coverage {
  private readonly structs = new RangeSet()
  private readonly deletions = new RangeSet()

  /**
   * Checks an update and adds what it contains. True if any of it was new.
   * @param bytesMax largest update taken; what a log holds may be larger than what the wire carries
   * @param rootEntry hears of the entries that the update begins (`UpdateSink`); it may throw to refuse it
   * @throws ProtocolError where the update is malformed, and what `rootEntry` throws; then nothing was added
   */
  add(update: Uint8Array, bytesMax?: number, rootEntry?: (root: string, key: string) => void): boolean {
    const structs: Ranges = new Map()
    const deletions: Ranges = new Map()
    const sink: UpdateSink = {
      structs: (client: number, clock: number, length: number) => note(structs, client, clock, length),
      deletion: (client: number, clock: number, length: number) => note(deletions, client, clock, length),
      ...(rootEntry === undefined ? {} : { rootEntry }),
    }
    scanUpdate(update, sink, bytesMax)
    const newStructs = addAll(this.structs, structs)
    const newDeletions = addAll(this.deletions, deletions)
    this.lastHasGap = newStructs && [...structs.keys()].some((client) => this.structs.hasGap(client))
    return newStructs || newDeletions
  }

  /** Whether a client of the last update now has structs here whose predecessors are missing. */
  lastHasGap = false

  /** How far a client's edits are here without a gap. */
  clockOf(client: number): number {
    return this.structs.contiguous(client)
  }

  /** How far each client's edits are here without a gap. */
  stateVector(): Map<number, number> {
    const vector = new Map<number, number>()
    for (const client of this.structs.clients()) {
      const clock = this.structs.contiguous(client)
      if (clock > 0) vector.set(client, clock)
    }
    return vector
  }

  /**
   * The digest of a document that holds just this, if there is one: where something is missing in between
   * a document would keep the rest apart. Deletions that are not known here make it another digest,
   * never that of a document with other content.
   */
  digest(): string | undefined {
    for (const client of this.structs.clients()) if (this.structs.hasGap(client)) return undefined
    return digestOf(this.stateVector(), this.deletions.asDeleteSet())
  }
}

/** Per client: start, end, start, end, ..., ascending as they stand in an update. */
type Ranges = Map<number, number[]>

function note(ranges: Ranges, client: number, clock: number, length: number): void {
  const bounds = ranges.get(client)
  if (bounds === undefined) ranges.set(client, [clock, clock + length])
  else bounds.push(clock, clock + length)
}

function addAll(set: RangeSet, ranges: Ranges): boolean {
  let anyNew = false
  for (const [client, bounds] of ranges) if (set.addAll(client, bounds)) anyNew = true
  return anyNew
}
