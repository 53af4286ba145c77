import type { Change, Json, Space } from '@skein/agent'
import * as Y from 'yjs'

/** The part of a space that the model and the bridge use, over a document of its own. */
export type StateDouble = Pick<Space, 'get' | 'set' | 'entries' | 'observe' | 'transact'> & {
  readonly doc: Y.Doc
}

export function stateOn(doc = new Y.Doc()): StateDouble {
  const map = doc.getMap<Json>('state')
  return {
    doc,
    get: <T extends Json>(key: string) => map.get(key) as T | undefined,
    set: (key, value) => void map.set(key, value),
    entries: (prefix = '') =>
      [...map.entries()].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)),
    transact: (write) => doc.transact(write),
    observe(prefix: string, callback: (change: Change) => void) {
      const listener = (event: Y.YMapEvent<Json>, { local }: Y.Transaction) => {
        for (const [key, { oldValue }] of event.changes.keys) {
          if (key.startsWith(prefix)) callback({ key, value: map.get(key), oldValue, local })
        }
      }
      map.observe(listener)
      return () => map.unobserve(listener)
    },
  }
}

/** Both documents have seen everything of both. */
export function merge(a: Y.Doc, b: Y.Doc): void {
  const fromA = Y.encodeStateAsUpdate(a, Y.encodeStateVector(b))
  Y.applyUpdate(a, Y.encodeStateAsUpdate(b, Y.encodeStateVector(a)))
  Y.applyUpdate(b, fromA)
}
