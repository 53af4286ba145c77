import * as Y from 'yjs'

/** At a position, so many characters are deleted and then a text is inserted, by one of several clients. */
export interface Edit {
  readonly client: number
  readonly position: number
  readonly deleted: number
  readonly inserted: string
}

/** A document's past, as it was written. */
export interface History {
  /** One for each edit. */
  readonly updates: readonly Uint8Array[]
  /** The whole document as one update, as small as Yjs makes it. */
  readonly merged: Uint8Array
  /** Clocks of all clients together: what a replica has when it has everything. */
  readonly clocks: number
  readonly text: string
}

/** The name of the Y.Text that a history edits. */
export const TEXT = 'text'

export function historyOf(edits: Iterable<Edit>): History {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  const text = doc.getText(TEXT)
  for (const { client, position, deleted, inserted } of edits) {
    doc.clientID = client
    doc.transact(() => {
      if (deleted > 0) text.delete(position, deleted)
      if (inserted !== '') text.insert(position, inserted)
    })
  }
  return { updates, merged: Y.encodeStateAsUpdate(doc), clocks: clocksOf(doc), text: text.toString() }
}

export function clocksOf(doc: Y.Doc): number {
  let clocks = 0
  for (const clock of Y.decodeStateVector(Y.encodeStateVector(doc)).values()) clocks += clock
  return clocks
}

/** Single insertions of one character each, as somebody types them: what most updates are. */
export function typedUpdates(count: number): readonly Uint8Array[] {
  return historyOf(typed(count)).updates
}

function* typed(count: number): Generator<Edit> {
  for (let position = 0; position < count; position++) {
    yield { client: 1, position, deleted: 0, inserted: 'x' }
  }
}
