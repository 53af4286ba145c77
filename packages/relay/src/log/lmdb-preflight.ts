import { checkDataFile } from '@skein/lmdb-check'
import { RelayError } from '../errors.js'

/**
 * Checks a `data.mdb` before LMDB maps it into memory, where a damaged one would end the process.
 * @throws RelayError `data-corrupt`, `data-version`, `data-not-writable` where it cannot be read
 */
export async function checkStore(path: string, walkedBytesMax?: number): Promise<void> {
  const finding = await checkDataFile(path, walkedBytesMax).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw damaged(path, 'it is missing', cause)
    throw new RelayError('data-not-writable', `cannot read ${path}: ${cause.message}`, { cause })
  })
  if (finding?.kind === 'damaged') throw damaged(path, finding.what)
  if (finding?.kind === 'newer-version') {
    throw new RelayError('data-version', `${path}: ${finding.what}. Nothing was changed. Use a newer relay`)
  }
}

/** The error for a store that is there but cannot be used. `what` follows "is damaged:". */
export function damaged(path: string, what: string, cause?: unknown): RelayError {
  return new RelayError(
    'data-corrupt',
    `${path} is damaged: ${what}. Nothing was changed. Restore the data directory from a backup, or start ` +
      'on an empty directory: agents bring back what they have',
    { cause },
  )
}
