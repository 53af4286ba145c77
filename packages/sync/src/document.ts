import { type DeleteSet, digestOf } from '@skein/protocol'
import * as Y from 'yjs'
import type { Replica } from './session.js'

/** Names the content of a document: its state vector and delete set. Costs one pass over all structs. */
export function documentDigest(doc: Y.Doc): string {
  const stateVector = Y.decodeStateVector(Y.encodeStateVector(doc))
  const deleteSet: Map<number, [number, number][]> = new Map()
  for (const [client, items] of Y.createDeleteSetFromStructStore(doc.store).clients) {
    deleteSet.set(
      client,
      items.map(({ clock, len }) => [clock, len]),
    )
  }
  return digestOf(stateVector, deleteSet satisfies DeleteSet)
}

/**
 * A document as a session reads it.
 * @param digest one that is remembered, where the caller has it
 */
export function documentReplica(
  doc: Y.Doc,
  epoch: () => string = () => '',
  digest: () => string = () => documentDigest(doc),
): Replica {
  return {
    stateVector: () => Y.encodeStateVector(doc),
    digest,
    hasGap: () => doc.store.pendingStructs !== null,
    get epoch() {
      return epoch()
    },
    diff: (stateVector) => Y.encodeStateAsUpdate(doc, stateVector),
  }
}
