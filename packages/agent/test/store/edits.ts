import * as Y from 'yjs'

/** The updates of a document to which `count` edits were made, one update each. */
export function edits(count: number, text = 'edit'): Uint8Array[] {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let i = 0; i < count; i++) doc.getMap('state').set(`${text}/${i}`, i)
  return updates
}

/** What a document shows that has applied these updates, and nothing that hangs in the air. */
export function contentOf(updates: readonly Uint8Array[]): string {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  const pending = doc.store.pendingStructs === null ? '' : ' and structs without what they build upon'
  return JSON.stringify(Object.entries(doc.getMap('state').toJSON()).sort()) + pending
}
