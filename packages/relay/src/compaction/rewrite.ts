import { Coverage, mergeUpdates } from '@skein/sync'
import * as Y from 'yjs'

/**
 * The content of a log as one update, made through a document: what was deleted is only marked as such,
 * and its content left out, as in any replica that collects garbage.
 * @throws where the result does not hold all that the updates hold, or Yjs cannot apply them
 */
export function rewrite(updates: readonly Uint8Array[]): Uint8Array {
  const doc = new Y.Doc()
  // One after the other: merging all first takes longer.
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update)
  })
  const rewritten = Y.encodeStateAsUpdate(doc)
  doc.destroy()
  checkHoldsAll(rewritten, updates)
  return rewritten
}

/** Neighbours as one update that holds every byte of content. @throws where the result does not hold all */
export function merge(updates: readonly Uint8Array[]): Uint8Array {
  const merged = mergeUpdates(updates)
  checkHoldsAll(merged, updates)
  return merged
}

function checkHoldsAll(result: Uint8Array, updates: readonly Uint8Array[]): void {
  const coverage = new Coverage()
  coverage.add(result, Number.POSITIVE_INFINITY)
  for (const update of updates) {
    if (coverage.add(update, Number.POSITIVE_INFINITY))
      throw new Error('a compacted log would lack something')
  }
}
