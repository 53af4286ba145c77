import type { Edit } from './history.js'
import { Random } from './random.js'

const SEED = 2026
const CLIENTS = 5
const WRITING_EDITS = 260_000
const DELETIONS = 100_000
const SHORT_TEXT = 50

/**
 * A text written by several people in turn: runs of typing, and of deleting backwards, at a cursor that
 * stays mostly where it is. A quarter of the edits delete.
 */
export function* writing(): Generator<Edit> {
  const random = new Random(SEED)
  let length = 0
  let cursor = 0
  for (let count = 0; count < WRITING_EDITS; ) {
    const client = 1 + random.below(CLIENTS)
    if (random.chance(0.3)) cursor = random.below(length + 1)
    const deletes = random.chance(0.4) && cursor > 0
    const run = Math.min(
      1 + random.below(deletes ? 20 : 40),
      WRITING_EDITS - count,
      deletes ? cursor : Infinity,
    )
    for (let i = 0; i < run; i++) {
      if (deletes) yield { client, position: --cursor, deleted: 1, inserted: '' }
      else yield { client, position: cursor++, deleted: 0, inserted: random.letter() }
    }
    length += deletes ? -run : run
    count += run
  }
}

/**
 * Insertions and deletions in turn, anywhere in a text that stays short: a list that is worked off, or a
 * sentence that is never right. Nearly everything that was ever there is deleted.
 */
export function* churning(): Generator<Edit> {
  const random = new Random(SEED)
  for (let i = 0; i < DELETIONS + SHORT_TEXT; i++) {
    const length = Math.min(i, SHORT_TEXT)
    const [inserter, deleter] = [1 + random.below(CLIENTS), 1 + random.below(CLIENTS)]
    yield { client: inserter, position: random.below(length + 1), deleted: 0, inserted: random.letter() }
    if (i >= SHORT_TEXT) {
      yield { client: deleter, position: random.below(length + 1), deleted: 1, inserted: '' }
    }
  }
}
