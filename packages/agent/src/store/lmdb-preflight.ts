import { basename, dirname } from 'node:path'
import { checkDataFile } from '@skein/lmdb-check'
import { corrupt } from './entries.js'

/**
 * Checks a data file before LMDB maps it into memory, where a damaged one would end the process.
 * @throws SkeinError `store-corrupt`, naming the directory
 */
export async function checkStoreFile(path: string): Promise<void> {
  const finding = await checkDataFile(path)
  if (finding === undefined) return
  throw corrupt(dirname(path), `a ${basename(path)} that cannot be used (${finding.what})`)
}
