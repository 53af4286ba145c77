import { checkFreeList } from './free-list.js'
import {
  INTEGER_KEYS,
  type Meta,
  NodeFlag,
  PAGE_HEADER_BYTES,
  PageFlag,
  readNumber,
  readTreeRoot,
  STORE_IS_FILE,
  TREE_ROOT_BYTES,
  type TreeRoot,
} from './layout.js'
import { Damage, Pages } from './pages.js'

/**
 * Walks all trees of a snapshot and finds what LMDB would stumble over: pages outside the file, of the
 * wrong kind or used twice; offsets outside their page; keys out of order; counts that do not add up; free
 * pages that are in use. Reads each page in use once; of a value with pages of its own only the first.
 * @throws Damage
 */
export function checkTrees(file: number, meta: Meta): void {
  // LMDB reads keys and values in the way that the flags tell.
  if ((meta.freePages.flags & ~STORE_IS_FILE) !== INTEGER_KEYS || meta.tables.flags !== 0) throw wrongFlags()
  const pages = new Pages(file, meta)
  const tables: TreeRoot[] = []
  walk(pages, meta.tables, (node) => {
    if (node.flags !== NodeFlag.subTree) return
    if (node.bytes !== TREE_ROOT_BYTES) throw new Damage('a table has no root')
    const table = readTreeRoot(node.page, node.at)
    if ((table.flags & ~INTEGER_KEYS) !== 0) throw wrongFlags()
    tables.push(table)
  })
  for (const table of tables) walk(pages, table, () => {})
  const lists: Buffer[] = []
  walk(pages, meta.freePages, (node) => lists.push(pages.valueOf(node)))
  checkFreeList(lists, pages)
  pages.checkEnd()
}

function wrongFlags(): Damage {
  return new Damage('a tree claims another kind of entries than it can have')
}

/** An entry of a leaf: where its value stands on the page, or where the value's own pages are told. */
export interface LeafNode {
  readonly page: Buffer
  readonly at: number
  readonly bytes: number
  readonly flags: number
}

const NODE_HEADER_BYTES = 8
const OVERFLOW_HEAD_BYTES = 24
/** LMDB's cursors are this deep (CURSOR_STACK). */
const DEPTH_MAX = 32
const KINDS =
  PageFlag.branch | PageFlag.leaf | PageFlag.overflow | PageFlag.meta | PageFlag.fixedLeaf | PageFlag.sub

function walk(pages: Pages, tree: TreeRoot, onLeafNode: (node: LeafNode) => void): void {
  if (tree.root === undefined) return
  if (tree.depth < 1 || tree.depth > DEPTH_MAX) throw new Damage(`a tree claims a depth of ${tree.depth}`)
  const integerKeys = (tree.flags & INTEGER_KEYS) !== 0
  const found = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 }
  let previousKey: Buffer | undefined

  const visit = (number: number, level: number) => {
    const page = pages.read(number, level)
    const isLeaf = level === tree.depth
    if ((page.readUInt16LE(18) & KINDS) !== (isLeaf ? PageFlag.leaf : PageFlag.branch)) {
      throw new Damage(`page ${number} is of the wrong kind`)
    }
    const nodes = nodesOf(page, number)
    if (isLeaf) {
      found.leafPages++
      found.entries += nodes.length
      for (const at of nodes) {
        const key = keyAt(page, at, number)
        if (previousKey !== undefined && !isBelow(previousKey, key, integerKeys)) {
          throw new Damage(`the keys of page ${number} are out of order`)
        }
        previousKey = key
        onLeafNode(leafNodeAt(pages, page, at, number, found))
      }
      // The buffer of the page is used again for the next one.
      previousKey = previousKey === undefined ? undefined : Buffer.from(previousKey)
    } else {
      found.branchPages++
      for (const at of nodes) {
        keyAt(page, at, number)
        // On a branch the fields of length and flags make up the child's page number (NODEPGNO).
        visit(page.readUInt32LE(at) + page.readUInt16LE(at + 4) * 2 ** 32, level + 1)
      }
    }
  }

  visit(tree.root, 1)
  for (const count of ['branchPages', 'leafPages', 'overflowPages', 'entries'] as const) {
    if (found[count] !== tree[count]) {
      throw new Damage(`a tree has ${found[count]} of its ${tree[count]} ${count}`)
    }
  }
}

/** Offsets of a page's nodes from its start. */
function nodesOf(page: Buffer, number: number): number[] {
  const lower = page.readUInt16LE(20)
  const upper = page.readUInt16LE(22)
  const outside = () => new Damage(`page ${number} points outside itself`)
  if (lower % 2 !== 0 || lower > upper || upper + PAGE_HEADER_BYTES > page.length) throw outside()
  const nodes: number[] = []
  for (let at = 0; at < lower; at += 2) {
    const offset = page.readUInt16LE(PAGE_HEADER_BYTES + at)
    const node = offset + PAGE_HEADER_BYTES
    if (offset < upper || offset % 2 !== 0 || node + NODE_HEADER_BYTES > page.length) throw outside()
    nodes.push(node)
  }
  // Only the first page of a tree that was emptied may be without nodes, and such a tree has no root.
  if (nodes.length === 0) throw new Damage(`page ${number} is empty`)
  return nodes
}

function keyAt(page: Buffer, at: number, number: number): Buffer {
  const start = at + NODE_HEADER_BYTES
  const end = start + page.readUInt16LE(at + 6)
  if (end > page.length) throw new Damage(`a key of page ${number} ends outside it`)
  return page.subarray(start, end)
}

function isBelow(a: Buffer, b: Buffer, integerKeys: boolean): boolean {
  if (!integerKeys) return a.compare(b) < 0
  if (a.length !== 8 || b.length !== 8) throw new Damage('a key is not a number')
  return readNumber(a, 0) < readNumber(b, 0)
}

function leafNodeAt(
  pages: Pages,
  page: Buffer,
  at: number,
  number: number,
  found: { overflowPages: number },
): LeafNode {
  const bytes = page.readUInt32LE(at)
  const flags = page.readUInt16LE(at + 4)
  const value = at + NODE_HEADER_BYTES + page.readUInt16LE(at + 6)
  const isBig = flags === NodeFlag.bigValue
  if (flags !== 0 && !isBig && flags !== NodeFlag.subTree) {
    throw new Damage(`an entry of page ${number} is of an unknown kind`)
  }
  if (value + (isBig ? OVERFLOW_HEAD_BYTES : bytes) > page.length) {
    throw new Damage(`a value of page ${number} ends outside it`)
  }
  const node = { page, at: value, bytes, flags }
  if (isBig) found.overflowPages += pages.claimValue(node)
  return node
}
