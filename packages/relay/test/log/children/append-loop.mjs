// Appends to many rooms without end and prints each append that was reported as done: room, first and last
// position. Continues behind what is already there. Arguments: data directory, seed.
import { writeSync } from 'node:fs'
import { openDataDirectory } from '../../../dist/data/data-directory.js'
import { openLmdbLog } from '../../../dist/log/lmdb-log.js'
import { collect } from '../../../dist/log/log.js'
import { updateAt } from './contents.mjs'

const [path, seed] = process.argv.slice(2)
const log = await openLmdbLog(await openDataDirectory(path))
let state = Number(seed)
const random = (below) => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
  return (state >>> 8) % below
}

async function fill(room) {
  let position = ((await collect(log.load(room))).at(-1)?.position ?? -1) + 1
  for (;;) {
    const count = 1 + random(3)
    const updates = Array.from({ length: count }, (_, i) => ({
      position: position + i,
      update: updateAt(room, position + i),
    }))
    await log.append(room, updates)
    // Synchronous: what is printed reached the pipe, whenever the kill comes.
    writeSync(1, `${room} ${position} ${position + count - 1}\n`)
    position += count
  }
}

await Promise.all(Array.from({ length: 40 }, (_, i) => fill(`room-${i}`)))
