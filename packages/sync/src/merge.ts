import * as Y from 'yjs'

/**
 * Merges updates into one with the same content, deleted history included; an empty one for none.
 *
 * In groups, because `Y.mergeUpdates` takes time in the square of the number of updates: 20,000 small
 * ones take 7.7 s at once and 0.13 s in groups (measured, yjs 13.6.33).
 */
export function mergeUpdates(updates: readonly Uint8Array[]): Uint8Array {
  let level = updates
  while (level.length > 1) {
    const next: Uint8Array[] = []
    for (let at = 0; at < level.length; at += GROUP) {
      const group = level.slice(at, at + GROUP)
      next.push(group.length === 1 ? group[0]! : Y.mergeUpdates(group))
    }
    level = next
  }
  return level[0] ?? EMPTY_UPDATE
}

const GROUP = 100

/** An update without structs and without deletions. */
export const EMPTY_UPDATE: Uint8Array = Uint8Array.of(0, 0)
