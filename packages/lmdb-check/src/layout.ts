/**
 * How lmdb-js 3 lays out `data.mdb`: LMDB data version 2, on 64-bit little endian machines. The names in
 * brackets are those of the structures in its `mdb.c`. Every page but the later ones of a large value starts with a
 * header: its own number (u64), the transaction that wrote it (u64), two unused bytes, flags (u16), and
 * either the two bounds of its free space (u16 each, counted from the header's end) or the number of
 * pages of a large value (u32).
 */

/** The newest snapshot in the file (MDB_meta). */
export interface Meta {
  readonly pageBytes: number
  readonly freePages: TreeRoot
  readonly tables: TreeRoot
  /** Highest page in use. The file ends before it where that page is free. */
  readonly lastPage: number
  readonly transaction: number
}

/** One tree of the environment (MDB_db). */
export interface TreeRoot {
  readonly flags: number
  readonly depth: number
  readonly branchPages: number
  readonly leafPages: number
  readonly overflowPages: number
  readonly entries: number
  /** A page number, or undefined for an empty tree. */
  readonly root: number | undefined
}

export const PAGE_HEADER_BYTES = 24
export const TREE_ROOT_BYTES = 48

/** MDB_page.mp_flags */
export const PageFlag = {
  branch: 0x01,
  leaf: 0x02,
  overflow: 0x04,
  meta: 0x08,
  fixedLeaf: 0x20,
  sub: 0x40,
} as const

/** MDB_node.mn_flags of a leaf */
export const NodeFlag = { bigValue: 0x01, subTree: 0x02, duplicates: 0x04 } as const

/** MDB_db.md_flags: keys are native u64 */
export const INTEGER_KEYS = 0x08

/**
 * Flags of the environment share a field with those of the tree of free pages. Only MDB_NOSUBDIR may be set;
 * of MDB_ENCRYPT LMDB would call a cipher that is not there.
 */
export const STORE_IS_FILE = 0x4000

/** Reads an MDB_db, as it stands in a meta page and as the value of a named table. */
export function readTreeRoot(page: Buffer, at: number): TreeRoot {
  const root = page.readBigUInt64LE(at + 40)
  return {
    flags: page.readUInt16LE(at + 4),
    depth: page.readUInt16LE(at + 6),
    branchPages: readNumber(page, at + 8),
    leafPages: readNumber(page, at + 16),
    overflowPages: readNumber(page, at + 24),
    entries: readNumber(page, at + 32),
    root: root === NO_PAGE ? undefined : Number(root),
  }
}

/** A u64. Above 2^53 it is inexact; only damage is that large, and it is only compared. */
export function readNumber(page: Buffer, at: number): number {
  return page.readUInt32LE(at) + page.readUInt32LE(at + 4) * 2 ** 32
}

const NO_PAGE = 2n ** 64n - 1n
