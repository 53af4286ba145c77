/** An entry of a room's log, without its content. */
export interface LogEntry {
  readonly position: number
  readonly bytes: number
}

export interface Plan {
  /**
   * `rewrite`: the whole log through a document, which also leaves out the content of what was deleted.
   * `merge`: some neighbours put side by side as one.
   */
  readonly kind: 'rewrite' | 'merge'
  readonly from: number
  readonly upTo: number
}

/** Entries from which some are merged: loading fewer is quick. */
export const ENTRIES_MAX = 1_000
/** While a room is in use its log is looked at once in so many entries. */
export const LOOK_EVERY = 16
/** Entries are merged up to this size: so that none becomes too large for a stock client's 30 s of patience. */
export const MERGED_BYTES_MAX = 8 * 1024 * 1024
/** Larger logs are not rewritten: a document of it would take a gigabyte. */
export const REWRITE_BYTES_MAX = 32 * 1024 * 1024
/** While a room is in use, it is rewritten when so much has come in, and at least as much as it had. */
const REWRITE_TAIL_BYTES = 256 * 1024
/** At rest, when it would become shorter by an eighth, and not only by a few bytes. */
const REST_TAIL_BYTES = 4 * 1024

/**
 * What to do with a log, if anything. Rewriting when it has doubled, and merging only entries of a like
 * size, costs each byte a bounded number of copies.
 * @param atRest nothing has come in for a while
 * @param rewritable false where a rewrite has failed
 */
export function planCompaction(
  entries: readonly LogEntry[],
  atRest: boolean,
  rewritable: boolean,
): Plan | undefined {
  const [first] = entries
  const last = entries.at(-1)
  if (first === undefined || last === undefined || entries.length < 2) return undefined
  if (!atRest && isToBeSkipped(entries.length)) return undefined
  const bytes = sum(entries)
  const tail = bytes - first.bytes
  const due = atRest
    ? tail >= Math.max(REST_TAIL_BYTES, first.bytes / 8)
    : tail >= Math.max(REWRITE_TAIL_BYTES, first.bytes)
  if (due && rewritable && bytes <= REWRITE_BYTES_MAX) {
    return { kind: 'rewrite', from: first.position, upTo: last.position }
  }
  if (entries.length < ENTRIES_MAX) return undefined
  const mergeable = mergeableTail(entries)
  // One alone would be merged with itself, again and again.
  if (mergeable.length < 2) return undefined
  return { kind: 'merge', from: mergeable[0]!.position, upTo: last.position }
}

/** Asked after each commit, most of the time there is nothing to do, and summing up a thousand entries costs. */
function isToBeSkipped(count: number): boolean {
  return count > LOOK_EVERY && count < ENTRIES_MAX && count % LOOK_EVERY !== 0
}

/** The last entries, as far back as each is not much larger than all behind it. */
function mergeableTail(entries: readonly LogEntry[]): readonly LogEntry[] {
  let start = entries.length - 1
  let bytes = entries[start]!.bytes
  while (start > 0) {
    const before = entries[start - 1]!.bytes
    if (before > 2 * bytes || bytes + before > MERGED_BYTES_MAX) break
    bytes += before
    start--
  }
  return entries.slice(start)
}

function sum(entries: readonly LogEntry[]): number {
  return entries.reduce((total, { bytes }) => total + bytes, 0)
}
