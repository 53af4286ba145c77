import type { FileHandle } from 'node:fs/promises'

/** What is wrong with a data file, as a phrase about it. */
export class DamageError extends Error {}

/**
 * Walks the B+trees of a snapshot (the free pages and the main database) and checks what LMDB relies on
 * without looking: that each page is within the file, is the page it should be, of the kind that its
 * level asks for, and that its nodes lie inside of it.
 * @throws DamageError
 */
export async function checkTrees(file: FileHandle, meta: Meta): Promise<void> {
  const pages = new Pages(file, meta, (await file.stat()).size)
  await checkTree(pages, meta.freeTree, true)
  await checkTree(pages, meta.mainTree, false)
}

/** A snapshot of the database: everything reachable from one meta page. */
export interface Meta {
  readonly pageBytes: number
  readonly transactionId: bigint
  /** The highest page number in use; the file may end before it where the last pages are free. */
  readonly lastPage: number
  readonly freeTree: Tree
  readonly mainTree: Tree
}

export interface Tree {
  /** Levels of pages, 0 for an empty tree. */
  readonly depth: number
  readonly rootPage: number
}

/** Level by level from the root, for a damaged tree may be of any depth. */
async function checkTree(pages: Pages, tree: Tree, listsFreePages: boolean): Promise<void> {
  let level = tree.depth === 0 ? [] : [tree.rootPage]
  for (let height = tree.depth; height > 0 && level.length > 0; height--) {
    const below: number[] = []
    for (const number of level) {
      const page = await pages.read(number, 1)
      if (height > 1) below.push(...branchChildren(page, number))
      else await checkLeaf(pages, page, number, listsFreePages)
    }
    level = below
  }
}

/** Reads pages of one snapshot, each at most once. */
class Pages {
  readonly #seen = new Set<number>()

  constructor(
    readonly file: FileHandle,
    readonly meta: Meta,
    readonly fileBytes: number,
  ) {}

  /** The first page of a run of `count`. */
  async read(number: number, count: number): Promise<Buffer> {
    const { pageBytes, lastPage } = this.meta
    if (number < META_PAGES || number + count - 1 > lastPage)
      throw new DamageError(`a link to page ${number}`)
    if ((number + count) * pageBytes > this.fileBytes) {
      throw new DamageError(`it is cut off before page ${number + count - 1}`)
    }
    if (this.#seen.has(number)) throw new DamageError(`two links to page ${number}`)
    this.#seen.add(number)
    const page = Buffer.allocUnsafe(pageBytes)
    const { bytesRead } = await this.file.read(page, 0, pageBytes, number * pageBytes)
    if (bytesRead < pageBytes) throw new DamageError(`it is cut off within page ${number}`)
    if (Number(page.readBigUInt64LE(0)) !== number) throw new DamageError(`page ${number} is overwritten`)
    this.checkTransaction(page, 8, number)
    return page
  }

  /** LMDB takes a page of a later transaction for its own copy, and writes to the read-only map. */
  checkTransaction(page: Buffer, at: number, number: number): void {
    if (page.readBigUInt64LE(at) > this.meta.transactionId) {
      throw new DamageError(`page ${number} comes from the future`)
    }
  }
}

function branchChildren(page: Buffer, number: number): number[] {
  return nodesOf(page, number, BRANCH).map((at) => page.readUIntLE(at, 6))
}

async function checkLeaf(pages: Pages, page: Buffer, number: number, listsFreePages: boolean): Promise<void> {
  for (const at of nodesOf(page, number, LEAF)) {
    const valueBytes = page.readUInt32LE(at)
    const flags = page.readUInt16LE(at + 4)
    const valueAt = at + NODE_BYTES + page.readUInt16LE(at + 6)
    const storedBytes = flags === BIG_VALUE ? OVERFLOW_LINK_BYTES : valueBytes
    // Other flags belong to named databases and duplicate keys; stores have neither.
    if ((flags !== 0 && flags !== BIG_VALUE) || valueAt + storedBytes > page.length) {
      throw new DamageError(`a bad node in page ${number}`)
    }
    const [holder, holderAt] =
      flags === BIG_VALUE
        ? [await readOverflow(pages, page, valueAt, valueBytes), HEAD_BYTES]
        : [page, valueAt]
    if (listsFreePages && !isPageList(holder, holderAt, valueBytes)) {
      throw new DamageError(`a bad list of free pages in page ${number}`)
    }
  }
}

/** The first page of a value too large for its leaf, which then holds page number and page count. */
async function readOverflow(pages: Pages, leaf: Buffer, linkAt: number, valueBytes: number): Promise<Buffer> {
  const number = Number(leaf.readBigUInt64LE(linkAt))
  const count = Math.ceil((HEAD_BYTES + valueBytes) / leaf.length)
  if (Number(leaf.readBigUInt64LE(linkAt + 16)) !== count)
    throw new DamageError(`a bad link to page ${number}`)
  pages.checkTransaction(leaf, linkAt + 8, number)
  const page = await pages.read(number, count)
  if ((page.readUInt16LE(FLAGS_AT) & KINDS) !== OVERFLOW || page.readUInt32LE(LOWER_AT) !== count) {
    throw new DamageError(`page ${number} starts no large value`)
  }
  return page
}

/** A list of free pages starts with its length, in which LMDB trusts. */
function isPageList(holder: Buffer, at: number, valueBytes: number): boolean {
  if (valueBytes < 8) return false
  return (Number(holder.readBigUInt64LE(at)) + 1) * 8 <= valueBytes
}

/** Where the nodes of a branch or leaf page start, each at least with its key inside the page. */
function nodesOf(page: Buffer, number: number, kind: number): number[] {
  const lower = page.readUInt16LE(LOWER_AT)
  const upper = page.readUInt16LE(LOWER_AT + 2)
  const sound =
    (page.readUInt16LE(FLAGS_AT) & KINDS) === kind &&
    lower >= 2 &&
    lower <= upper &&
    upper + HEAD_BYTES <= page.length
  if (!sound) throw new DamageError(`page ${number} is overwritten`)
  return Array.from({ length: lower >> 1 }, (_, index) => {
    const at = page.readUInt16LE(HEAD_BYTES + index * 2) + HEAD_BYTES
    const fits = at >= HEAD_BYTES + lower && at + NODE_BYTES <= page.length
    if (!fits || at + NODE_BYTES + page.readUInt16LE(at + 6) > page.length) {
      throw new DamageError(`a bad node in page ${number}`)
    }
    return at
  })
}

const META_PAGES = 2

// A page starts with its number (8 bytes), transaction (8), padding (2), flags (2), and either the
// bounds of its free space behind the head (2 and 2), or the number of pages of a large value (4).
const HEAD_BYTES = 24
const FLAGS_AT = 18
const LOWER_AT = 20
const BRANCH = 0x01
const LEAF = 0x02
const OVERFLOW = 0x04
const KINDS = 0xff

// A node starts with the size of its value (4 bytes), flags (2) and the size of its key (2); in branch
// pages the first six bytes are the number of the page below.
const NODE_BYTES = 8
const BIG_VALUE = 0x01
/** Page number, transaction, count of pages; 8 bytes each. */
const OVERFLOW_LINK_BYTES = 24
