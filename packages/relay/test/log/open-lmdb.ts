import { onTestFinished } from 'vitest'
import { openDataDirectory } from '../../src/data/data-directory.js'
import { openLmdbLog } from '../../src/log/lmdb-log.js'
import type { Log } from '../../src/log/log.js'

/** Opens a log on a data directory; closing the log, or the end of the test, releases the directory. */
export async function openLmdb(path: string): Promise<Log> {
  const directory = await openDataDirectory(path)
  onTestFinished(() => directory.release())
  const log = await openLmdbLog(directory)
  const close = async () => {
    await log.close()
    await directory.release()
  }
  onTestFinished(close)
  return { ...log, close }
}
