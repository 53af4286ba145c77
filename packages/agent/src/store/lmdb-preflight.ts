import { type FileHandle, open } from 'node:fs/promises'
import { endianness } from 'node:os'
import { basename, dirname } from 'node:path'
import { corrupt } from './entries.js'
import { checkTrees, DamageError, type Meta, type Tree } from './lmdb-trees.js'

/**
 * Checks an LMDB data file before LMDB maps it into memory, where a damaged one ends the process with
 * SIGBUS or SIGSEGV instead of an error. Reads every page of the trees, though not the values.
 *
 * The layout is that of the LMDB in lmdb-js 3.5 (`mdb.c`, `MDB_meta` and `MDB_page_header`; data version
 * 2, which differs from that of LMDB 0.9) as 64-bit little-endian machines write it.
 * @throws SkeinError `store-corrupt`, naming the directory
 */
export async function checkDataFile(path: string): Promise<void> {
  if (!LAYOUT_KNOWN) return
  const file = await open(path, 'r')
  try {
    for (let attempt = 1; ; attempt++) {
      const head = await readHead(file)
      try {
        await checkTrees(file, newestMeta(head))
        return
      } catch (error) {
        // Another process may have committed and reused pages while we read. One that keeps committing
        // has the file open, and finds it sound.
        if (head.equals(await readHead(file))) throw error
        if (attempt === ATTEMPTS_MAX) return
      }
    }
  } catch (error) {
    if (!(error instanceof DamageError)) throw error
    throw corrupt(dirname(path), `a damaged ${basename(path)} (${error.message})`, error)
  } finally {
    await file.close()
  }
}

const LAYOUT_KNOWN = ['x64', 'arm64'].includes(process.arch) && endianness() === 'LE'
const ATTEMPTS_MAX = 5

/** The start of the file, with both meta pages whatever the size of pages. */
async function readHead(file: FileHandle): Promise<Buffer> {
  const head = Buffer.alloc(2 * PAGE_BYTES_MAX)
  const { bytesRead } = await file.read(head, 0, head.length, 0)
  return head.subarray(0, bytesRead)
}

/** Transactions write the two meta pages in turn, so that the ids show if one of them is damaged. */
function newestMeta(head: Buffer): Meta {
  const first = readMeta(head, 0)
  const second = readMeta(head, first.pageBytes)
  const [older, newer] =
    first.transactionId < second.transactionId ? ([first, second] as const) : ([second, first] as const)
  const inTurn =
    newer.transactionId === 0n ||
    (newer.transactionId - older.transactionId === 1n &&
      (newer === second) === (newer.transactionId % 2n === 1n))
  if (!inTurn || second.pageBytes !== first.pageBytes) throw new DamageError('its meta pages disagree')
  return newer
}

function readMeta(head: Buffer, offset: number): Meta {
  const bytes = head.subarray(offset, offset + META_BYTES)
  if (bytes.length < META_BYTES) throw new DamageError('it ends within its meta pages')
  const pageBytes = bytes.readUInt32LE(PAGE_BYTES_AT)
  if (bytes.readUInt16LE(FLAGS_AT) !== META_FLAG || bytes.readUInt32LE(MAGIC_AT) !== MAGIC) {
    throw new DamageError('it does not start as LMDB files do')
  }
  if ((bytes.readUInt32LE(VERSION_AT) & 0xffff) !== DATA_VERSION) {
    throw new DamageError('it has another version')
  }
  if (pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX || (pageBytes & (pageBytes - 1)) !== 0) {
    throw new DamageError(`pages of ${pageBytes} bytes`)
  }
  return {
    pageBytes,
    transactionId: bytes.readBigUInt64LE(TRANSACTION_AT),
    lastPage: Number(bytes.readBigUInt64LE(LAST_PAGE_AT)),
    freeTree: readTree(bytes, FREE_TREE_AT),
    mainTree: readTree(bytes, MAIN_TREE_AT),
  }
}

function readTree(bytes: Buffer, at: number): Tree {
  return {
    depth: bytes.readUInt16LE(at + 6),
    rootPage: Number(bytes.readBigUInt64LE(at + 40)),
  }
}

const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
const META_FLAG = 8
const PAGE_BYTES_MIN = 256
const PAGE_BYTES_MAX = 65536

// Byte positions in a meta page: a page header of 24 bytes, then MDB_meta.
const FLAGS_AT = 18
const MAGIC_AT = 24
const VERSION_AT = 28
const FREE_TREE_AT = 48
/** LMDB keeps the page size in an unused field of the free tree. */
const PAGE_BYTES_AT = FREE_TREE_AT
const MAIN_TREE_AT = 96
const LAST_PAGE_AT = 144
const TRANSACTION_AT = 152
const META_BYTES = 168
