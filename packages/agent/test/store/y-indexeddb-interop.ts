import { IndexeddbPersistence } from 'y-indexeddb'
import * as Y from 'yjs'
import { openIndexedDbStore } from '../../src/store/indexeddb-store.js'
import { COMPACT_ENTRIES_MIN } from '../../src/store/store.js'
import { assertEqual } from './assert.js'
import { contentOf, edits } from './edits.js'

export interface InteropCase {
  readonly name: string
  run(databaseName: string): Promise<void>
}

/** Our store and stock y-indexeddb on one database. Free of any test framework. */
export const INTEROP_CASES: readonly InteropCase[] = [
  {
    name: 'Y1 a database of y-indexeddb opens as ours',
    async run(databaseName) {
      const stock = await openStock(databaseName)
      stock.doc.getMap('state').set('from', 'stock')
      await stock.persistence.destroy()
      assertEqual(await contentInStore(databaseName), contentOfDoc(stock.doc), 'content')
    },
  },
  {
    name: 'Y2 a database of ours opens in y-indexeddb',
    async run(databaseName) {
      const updates = edits(30)
      const store = await openIndexedDbStore(databaseName)
      await Promise.all(updates.map((update) => store.append(update, 5)))
      await store.close()
      const stock = await openStock(databaseName)
      assertEqual(contentOfDoc(stock.doc), contentOf(updates), 'content')
      assertEqual(await stock.persistence.get('skein/queued'), 5, 'our number')
      await stock.persistence.destroy()
    },
  },
  {
    name: 'Y3 both have it open, and each finds what the other wrote',
    async run(databaseName) {
      const stock = await openStock(databaseName)
      const store = await openIndexedDbStore(databaseName)
      const ours = edits(10)
      for (const [i, update] of ours.entries()) {
        stock.doc.getMap('state').set(`stock/${i}`, i)
        await store.append(update, 0)
      }
      await stock.persistence.destroy()
      await store.close()
      const expected = contentOf([Y.encodeStateAsUpdate(stock.doc), ...ours])
      assertEqual(await contentInStore(databaseName), expected, 'content in our store')
      const again = await openStock(databaseName)
      assertEqual(contentOfDoc(again.doc), expected, 'content in y-indexeddb')
      await again.persistence.destroy()
    },
  },
  {
    name: 'Y4 we compact while y-indexeddb has it open and goes on writing',
    async run(databaseName) {
      const stock = await openStock(databaseName)
      const state = stock.doc.getMap('state')
      for (let i = 0; i < COMPACT_ENTRIES_MIN; i++) state.set(`before/${i}`, i)
      const store = await openIndexedDbStore(databaseName)
      assertEqual((await store.load()).updates.length, 1, 'entries')
      await store.close()
      state.set('after', true)
      await stock.persistence.destroy()
      assertEqual(await contentInStore(databaseName), contentOfDoc(stock.doc), 'content')
    },
  },
]

async function openStock(databaseName: string) {
  const doc = new Y.Doc()
  const persistence = new IndexeddbPersistence(databaseName, doc)
  await persistence.whenSynced
  return { doc, persistence }
}

async function contentInStore(databaseName: string): Promise<string> {
  const store = await openIndexedDbStore(databaseName)
  const { updates } = await store.load()
  await store.close()
  return contentOf(updates)
}

function contentOfDoc(doc: Y.Doc): string {
  return contentOf([Y.encodeStateAsUpdate(doc)])
}
