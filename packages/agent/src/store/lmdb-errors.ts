import { statfsSync } from 'node:fs'
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
  const full = FULL.has(code) || (code === EIO && isDiskFull(directory))
  const kind: SkeinErrorCode = full ? 'store-full' : 'store-unavailable'
  const what = full
    ? 'has no room left; free some space on the disk'
    : 'cannot be used; check that the path exists and is writable'
  return new SkeinError(kind, `The store ${directory} ${what} (${message}). Nothing of this was stored.`, {
    cause: error,
  })
}

/** LMDB rejects commits with an error that only promises the reason. */
export async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> }
  if (commitError === undefined) return error
  let timer: NodeJS.Timeout | undefined
  // It leaves the promise open for the errors 1 and 2, which it takes for its own states.
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, COMMIT_ERROR_MS_MAX, error)
  })
  return Promise.race([commitError.catch((cause) => cause), timeout]).finally(() => clearTimeout(timer))
}

const COMMIT_ERROR_MS_MAX = 1000

/** LMDB calls it an I/O error when the disk took only a part of what it wrote; so ask the disk. */
function isDiskFull(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize < FREE_BYTES_MIN
  } catch {
    return false
  }
}

/** Less than a few commits need; a disk this full is what failed them. */
const FREE_BYTES_MIN = 1024 * 1024

// LMDB's errors carry their number (lmdb.h, errno), the file system's in Node their name.
const MDB_PAGE_NOTFOUND = -30797
const MDB_CORRUPTED = -30796
const MDB_VERSION_MISMATCH = -30794
const MDB_INVALID = -30793
const MDB_MAP_FULL = -30792
const EIO = 5
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
