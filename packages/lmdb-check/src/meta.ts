import type { FileHandle } from 'node:fs/promises'
import {
  type Meta,
  PAGE_HEADER_BYTES,
  PageFlag,
  readNumber,
  readTreeRoot,
  TREE_ROOT_BYTES,
} from './layout.js'
import { Damage } from './pages.js'

/** The start of a data file, with both meta pages whatever the size of pages. */
export async function readHead(file: FileHandle): Promise<Buffer> {
  const head = Buffer.alloc(2 * PAGE_BYTES_MAX)
  const { bytesRead } = await file.read(head, 0, head.length, 0)
  return head.subarray(0, bytesRead)
}

/**
 * The newest snapshot. Transactions write the two meta pages in turn, so their numbers show if one of
 * the pages is damaged: LMDB itself would go back to the other, and lose the last transaction.
 * @throws Damage, NewerVersion
 */
export function newestMeta(head: Buffer): Meta {
  const first = readMeta(head, 0)
  const second = readMeta(head, first.pageBytes)
  const [older, newer] = first.transaction < second.transaction ? [first, second] : [second, first]
  const inTurn =
    newer.transaction === 0 ||
    (newer.transaction - older.transaction === 1 && (newer === second) === (newer.transaction % 2 === 1))
  if (!inTurn || second.pageBytes !== first.pageBytes)
    throw new Damage('its two meta pages contradict each other')
  return newer
}

/** The file is of a later data version of LMDB. */
export class NewerVersion extends Error {}

function readMeta(head: Buffer, at: number): Meta {
  const page = head.subarray(at, at + META_BYTES)
  if (page.length < META_BYTES) throw new Damage(`it ends after ${head.length} bytes`)
  const isMeta = (page.readUInt16LE(18) & PageFlag.meta) !== 0
  if (!isMeta || page.readUInt32LE(24) !== MAGIC) throw new Damage('it does not start like an LMDB file')
  const version = page.readUInt32LE(28) & 0xffff
  if (version > DATA_VERSION)
    throw new NewerVersion(`it has LMDB data version ${version}, known is ${DATA_VERSION}`)
  if (version < DATA_VERSION) throw new Damage(`its LMDB data version is ${version}, not ${DATA_VERSION}`)
  // LMDB keeps the page size in an unused field of the tree of free pages.
  const pageBytes = page.readUInt32LE(FREE_TREE_AT)
  const isPower = (pageBytes & (pageBytes - 1)) === 0
  if (!isPower || pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX) {
    throw new Damage(`it claims pages of ${pageBytes} bytes`)
  }
  // The flags of the environment share a field with those of the tree of free pages.
  if ((page.readUInt16LE(FREE_TREE_AT + 4) & ENCRYPTED) !== 0) throw new Damage('it claims to be encrypted')
  return {
    pageBytes,
    freePages: readTreeRoot(page, FREE_TREE_AT),
    tables: readTreeRoot(page, FREE_TREE_AT + TREE_ROOT_BYTES),
    lastPage: readNumber(page, 144),
    transaction: readNumber(page, 152),
  }
}

const FREE_TREE_AT = PAGE_HEADER_BYTES + 24
/** MDB_ENCRYPT: LMDB would call a cipher that is not there. */
const ENCRYPTED = 0x2000
const META_BYTES = 168
const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
const PAGE_BYTES_MIN = 256
const PAGE_BYTES_MAX = 65_536
