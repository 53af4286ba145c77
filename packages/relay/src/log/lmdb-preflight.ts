import { type FileHandle, open } from 'node:fs/promises'
import { endianness, freemem } from 'node:os'
import { RelayError } from '../errors.js'
import { type Meta, readNumber, readTreeRoot, TREE_ROOT_BYTES } from './lmdb-layout.js'
import { findDamage } from './lmdb-tree.js'

/**
 * Checks a `data.mdb` before LMDB opens it, without changing it. LMDB maps the file and follows whatever
 * page numbers and offsets it finds: in a truncated file it dies of SIGBUS, in an overwritten page of SIGSEGV
 * or an assertion, and some damage silently hides whole rooms. The records' own bytes are not checked here
 * but when they are read.
 *
 * Measured on a cloud disk: 1 to 2 s per GB, 3 to 6 s where nothing is cached. Above 4 GiB only the meta pages and the
 * length of the file are checked. Machines other than x64 and arm64 lay the file out differently; there LMDB's own few checks must do.
 * @throws RelayError `data-corrupt`, `data-version`, `data-not-writable` where it cannot be read
 */
export async function checkStore(path: string, walkedBytesMax = WALKED_BYTES_MAX): Promise<void> {
  if (endianness() !== 'LE' || !ARCHITECTURES.has(process.arch)) return
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    throw notReadable(path, cause)
  }
  try {
    const meta = await readNewestMeta(path, file)
    const { size } = await file.stat()
    if (size > walkedBytesMax) {
      checkLength(path, size, meta)
    } else {
      if (size < freemem() / 2) await readThrough(file)
      const damage = findDamage(file.fd, meta)
      if (damage !== undefined) throw damaged(path, damage)
    }
  } finally {
    await file.close()
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

const ARCHITECTURES = new Set(['x64', 'arm64'])
const META_BYTES = 168
const WALKED_BYTES_MAX = 4 * 1024 ** 3
const READ_BYTES = 1024 * 1024
/** The last pages of a snapshot may never have been written, if its own transaction freed them again. */
const UNWRITTEN_BYTES_MAX = 16 * 1024 * 1024
const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
const PAGE_BYTES_MIN = 256
const PAGE_BYTES_MAX = 65536
const META_PAGE_FLAG = 0x08

function checkLength(path: string, size: number, meta: Meta): void {
  const expected = (meta.lastPage + 1) * meta.pageBytes
  if (size + UNWRITTEN_BYTES_MAX >= expected) return
  throw damaged(path, `it has ${size} of its ${expected} bytes`)
}

/** Fills the system's cache in the order of the disk: a tree's own order takes three times as long there. */
async function readThrough(file: FileHandle): Promise<void> {
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
    if (bytesRead === 0) return
    at += bytesRead
  }
}

async function readNewestMeta(path: string, file: FileHandle): Promise<Meta> {
  const first = await readMeta(path, file, 0)
  const second = await readMeta(path, file, first.pageBytes)
  if (second.pageBytes !== first.pageBytes) throw damaged(path, 'its two meta pages contradict each other')
  return second.transaction > first.transaction ? second : first
}

async function readMeta(path: string, file: FileHandle, at: number): Promise<Meta> {
  const page = Buffer.alloc(META_BYTES)
  const { bytesRead } = await file.read(page, 0, META_BYTES, at)
  if (bytesRead < META_BYTES) throw damaged(path, `it ends after ${at + bytesRead} bytes`)
  const isMeta = (page.readUInt16LE(18) & META_PAGE_FLAG) !== 0
  if (!isMeta || page.readUInt32LE(24) !== MAGIC) throw damaged(path, 'it does not start like an LMDB file')
  const version = page.readUInt32LE(28) & 0xffff
  if (version > DATA_VERSION) throw newer(path, version)
  if (version < DATA_VERSION) throw damaged(path, `its LMDB data version is ${version}, not ${DATA_VERSION}`)
  const pageBytes = page.readUInt32LE(48)
  const isPower = (pageBytes & (pageBytes - 1)) === 0
  if (!isPower || pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX) {
    throw damaged(path, `it claims pages of ${pageBytes} bytes`)
  }
  return {
    pageBytes,
    freePages: readTreeRoot(page, 48),
    tables: readTreeRoot(page, 48 + TREE_ROOT_BYTES),
    lastPage: readNumber(page, 144),
    transaction: readNumber(page, 152),
  }
}

function notReadable(path: string, cause: unknown): RelayError {
  if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return damaged(path, 'it is missing', cause)
  const message = `cannot read ${path}: ${(cause as Error).message}`
  return new RelayError('data-not-writable', message, { cause })
}

function newer(path: string, version: number): RelayError {
  const message = `${path} has LMDB data version ${version}, this relay knows ${DATA_VERSION}`
  return new RelayError('data-version', `${message}. Nothing was changed. Use a newer relay`)
}
