import { SkeinError, type SkeinErrorCode } from '../errors.js'
import { corrupt } from './entries.js'

/**
 * What an error of the file system or of LMDB means for a store.
 * @param error a SkeinError is returned as it is
 */
export function asSkeinError(error: unknown, directory: string): SkeinError {
  if (error instanceof SkeinError) return error
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (CORRUPT.has(code)) return corrupt(directory, `a data file that LMDB refuses (${message})`, error)
  const kind: SkeinErrorCode = FULL.has(code) ? 'store-full' : 'store-unavailable'
  const what =
    kind === 'store-full'
      ? 'has no room left; free some space on the disk'
      : 'cannot be used; check that the path exists and is writable'
  return new SkeinError(kind, `The store ${directory} ${what} (${message}). Nothing of this was stored.`, {
    cause: error,
  })
}

// LMDB's errors carry their number (lmdb.h, errno), the file system's in Node their name.
const MDB_PAGE_NOTFOUND = -30797
const MDB_CORRUPTED = -30796
const MDB_VERSION_MISMATCH = -30794
const MDB_INVALID = -30793
const MDB_MAP_FULL = -30792
const EFBIG = 27
const ENOSPC = 28
const EDQUOT_LINUX = 122
const EDQUOT_MACOS = 69

const CORRUPT: ReadonlySet<unknown> = new Set([
  MDB_PAGE_NOTFOUND,
  MDB_CORRUPTED,
  MDB_VERSION_MISMATCH,
  MDB_INVALID,
])
const FULL: ReadonlySet<unknown> = new Set([
  MDB_MAP_FULL,
  EFBIG,
  ENOSPC,
  EDQUOT_LINUX,
  EDQUOT_MACOS,
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
])
