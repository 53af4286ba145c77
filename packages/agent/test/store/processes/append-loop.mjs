// A process that appends to a store for as long as it is let, and reports each append once it is done.
// Arguments: directory, name of this process, number of appends, bytes of text per edit.

import * as Y from 'yjs'
import { openLmdbStore } from '../../../dist/store/lmdb-store.js'

const [directory, name, appends, textBytes] = process.argv.slice(2)
const store = await openLmdbStore(directory, 'home')
await store.load()
const doc = new Y.Doc()
const stored = []
doc.on('update', (update) => stored.push(store.append(update, stored.length)))
for (let i = 0; i < Number(appends); i++) {
  doc.getMap('state').set(`${name}/${i}`, 'x'.repeat(Number(textBytes)))
  // Some alone and some in groups.
  if (i % 7 !== 0) continue
  try {
    await Promise.all(stored)
  } catch (error) {
    process.stdout.write(`failed ${error.code}\n`)
    break
  }
  process.stdout.write(`done ${i}\n`)
}
await Promise.allSettled(stored)
await store.close()
