// Opens each data directory, reads rooms room-0 to room-9, writes, and prints one line of JSON for each: the
// code of the error that opening or writing gave, else how many updates each room has, or the code of its error.
// Arguments: directories.
import { openDataDirectory } from '../../../dist/data/data-directory.js'
import { openLmdbLog } from '../../../dist/log/lmdb-log.js'
import { collect } from '../../../dist/log/log.js'

console.error = () => {}
for (const path of process.argv.slice(2)) {
  const directory = await openDataDirectory(path)
  let log
  try {
    log = await openLmdbLog(directory)
    const rooms = []
    for (let i = 0; i < 10; i++) {
      rooms.push(
        await collect(log.load(`room-${i}`)).then(
          (updates) => updates.length,
          (error) => error.code,
        ),
      )
    }
    for (let round = 0; round < 10; round++) {
      await Promise.all([
        log.append('new', [{ position: round, update: new Uint8Array(3000) }]),
        log.replace(`room-${round}`, 0, 50, new Uint8Array(100)),
      ])
    }
    console.log(JSON.stringify(rooms))
  } catch (error) {
    console.log(JSON.stringify(error.code ?? String(error)))
  }
  await log?.close()
  await directory.release()
}
