import { scanUpdate } from '@skein/protocol'
import { RangeSet } from './range-set.js'

/**
 * What a set of updates contains, without a Y.Doc: the ids of its structs and of its deletions. It tells
 * a room whether an update brings anything new: every reconnect sends the whole delete set again, and
 * a log that kept it each time would grow with every connection.
 *
 * It does not know deletions that Yjs derives while it integrates (the loser of two concurrent writes to
 * a map key, children of a deleted parent), so its digest is not a document's.
 */
export class Coverage {
  private readonly structs = new RangeSet()
  private readonly deletions = new RangeSet()

  /**
   * Checks an update and adds what it contains. True if any of it was new.
   * @throws ProtocolError where the update is malformed; then nothing was added
   */
  add(update: Uint8Array): boolean {
    const structs: number[] = []
    const deletions: number[] = []
    scanUpdate(update, {
      structs: (client, clock, length) => structs.push(client, clock, length),
      deletion: (client, clock, length) => deletions.push(client, clock, length),
    })
    const newStructs = addAll(this.structs, structs)
    const newDeletions = addAll(this.deletions, deletions)
    return newStructs || newDeletions
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
}

function addAll(set: RangeSet, ranges: readonly number[]): boolean {
  let anyNew = false
  for (let i = 0; i < ranges.length; i += 3) {
    if (set.add(ranges[i]!, ranges[i + 1]!, ranges[i + 2]!)) anyNew = true
  }
  return anyNew
}
