// A process that appends to a store until the disk is full, and reports what then happens.
// Arguments: a small disk, bytes of text per edit, and what to do then: `free-room`, `delete-store` or
// `load` anew.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as Y from 'yjs'
import { openLmdbStore } from '../../../dist/store/lmdb-store.js'

const [disk, textBytes, then] = process.argv.slice(2)
const ballast = join(disk, 'ballast')
writeFileSync(ballast, Buffer.alloc(300_000))
const store = await openLmdbStore(join(disk, 'home'), 'home')
const doc = new Y.Doc()
let update
doc.on('update', (bytes) => {
  update = bytes
})
doc.getMap('state').set('0', 'first')

let key = 0
while ((await append()) === 'done') {
  key++
  doc.getMap('state').set(String(key), 'x'.repeat(Number(textBytes)))
}
if (then === 'load') {
  await store.close()
  const again = await openLmdbStore(join(disk, 'home'), 'home')
  const { updates } = await again.load()
  await again.close()
  process.stdout.write(`${JSON.stringify({ key: 'load', outcome: String(updates.length) })}\n`)
} else {
  rmSync(then === 'free-room' ? ballast : join(disk, 'home'), { recursive: true })
  // The same edit again, for later ones build upon it.
  await append()
  await store.close()
}

async function append() {
  const outcome = await store.append(update, key).then(
    () => 'done',
    (error) => `${error.code} ${error.message}`,
  )
  process.stdout.write(`${JSON.stringify({ key: String(key), outcome })}\n`)
  return outcome
}
