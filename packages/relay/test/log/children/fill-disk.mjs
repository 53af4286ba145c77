// Appends 20 KB updates to two rooms until the disk refuses, tries a small one, then reads. Prints, as JSON,
// what was reported as done, what was refused with which code, and what could still be read. Argument: directory.
import { openDataDirectory } from '../../../dist/data/data-directory.js'
import { openLmdbLog } from '../../../dist/log/lmdb-log.js'
import { collect } from '../../../dist/log/log.js'

// LMDB's library reports a failed commit on stderr too.
console.error = () => {}
const directory = await openDataDirectory(process.argv[2])
const log = await openLmdbLog(directory)
const done = []
const refused = []
for (let position = 0; refused.length < 6; position++) {
  const calls = ['a', 'b'].map((room) =>
    log.append(room, [{ position, update: new Uint8Array(20_000).fill(position) }]).then(
      () => done.push(`${room} ${position}`),
      (error) => refused.push(`${room} ${position} ${error.code}`),
    ),
  )
  await Promise.all(calls)
}
const readable = []
for (const room of ['a', 'b'])
  for (const { position } of await collect(log.load(room))) readable.push(`${room} ${position}`)
console.log(JSON.stringify({ done, refused, readable }))
await log.close()
await directory.release()
