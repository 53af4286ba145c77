// Appends single updates to one room, replaces all of them by one snapshot now and then, and prints the last position
// that was reported as done. An update is the text "n", a snapshot "0..n" and then air. Argument: directory.
import { writeSync } from 'node:fs'
import { openDataDirectory } from '../../../dist/data/data-directory.js'
import { openLmdbLog } from '../../../dist/log/lmdb-log.js'
import { collect } from '../../../dist/log/log.js'

const log = await openLmdbLog(await openDataDirectory(process.argv[2]))
const bytes = (text) => new TextEncoder().encode(text)
let position = ((await collect(log.load('room'))).at(-1)?.position ?? -1) + 1
for (;;) {
  const appended = []
  for (let i = 0; i < 200; i++, position++) {
    appended.push(log.append('room', [{ position, update: bytes(`${position}`) }]))
  }
  await Promise.all(appended)
  writeSync(1, `appended ${position - 1}\n`)
  const upTo = position - 6
  writeSync(1, `replacing ${upTo}\n`)
  await log.replace('room', 0, upTo, bytes(`0..${upTo}${' '.repeat(300_000)}`))
  writeSync(1, `replaced ${upTo}\n`)
}
