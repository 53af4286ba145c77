import { readNumber } from './layout.js'
import { Damage, type Pages } from './pages.js'

const NUMBER_BYTES = 8

/**
 * Checks that no page is offered for writing while it is in use; LMDB believes its list and would write over
 * live data. Each value is a count followed by that many i64 (`midl.c` of lmdb-js): a page number, a
 * negated count of pages and then their first page, or 0 for a gap.
 * @throws Damage
 */
export function checkFreeList(values: readonly Buffer[], pages: Pages): void {
  for (const value of values) {
    const count = readNumber(value, 0)
    if ((count + 1) * NUMBER_BYTES > value.length) throw new Damage('the list of free pages is cut off')
    for (let i = 1; i <= count; i++) {
      const entry = Number(value.readBigInt64LE(i * NUMBER_BYTES))
      if (entry > 0) pages.checkFree(entry, 1)
      // A count at the very end has lost its page; LMDB skips it too.
      if (entry >= 0 || i === count) continue
      i++
      pages.checkFree(Number(value.readBigInt64LE(i * NUMBER_BYTES)), -entry)
    }
  }
}
