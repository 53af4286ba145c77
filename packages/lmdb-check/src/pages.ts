import { fstatSync, readSync } from 'node:fs'
import { type Meta, NodeFlag, PAGE_HEADER_BYTES, PageFlag, readNumber } from './layout.js'
import type { LeafNode } from './tree.js'

/** Says what is wrong; becomes part of a sentence after "is damaged:". */
export class Damage extends Error {}

/** The pages of a `data.mdb`, and which of them were met so far. */
export class Pages {
  readonly #file: number
  readonly #pageBytes: number
  readonly #last: number
  readonly #transaction: number
  readonly #met: Uint8Array
  #freeBehindEnd = 0
  readonly #buffers: Buffer[] = []
  readonly #head = Buffer.alloc(PAGE_HEADER_BYTES)

  constructor(file: number, meta: Meta) {
    this.#file = file
    this.#pageBytes = meta.pageBytes
    this.#last = meta.lastPage
    this.#transaction = meta.transaction
    // Pages behind the end of the file are free ones that were never written.
    const inFile = Math.floor(fstatSync(file).size / meta.pageBytes)
    this.#met = new Uint8Array(Math.min(inFile, meta.lastPage + 1))
  }

  /**
   * Reads a page of a tree and marks it as met. The buffer is the level's, until the next page of that level.
   * @throws Damage where there is no such page, or it was met before
   */
  read(number: number, level: number): Buffer {
    this.#claim(number, 1)
    this.#buffers[level] ??= Buffer.allocUnsafe(this.#pageBytes)
    const page = this.#buffers[level]
    this.#readInto(page, number * this.#pageBytes)
    this.#checkHeader(page, number)
    return page
  }

  /** Marks the pages of a large value as met and returns how many they are. */
  claimValue(node: LeafNode): number {
    const first = readNumber(node.page, node.at)
    const count = readNumber(node.page, node.at + 16)
    if (count !== Math.floor((PAGE_HEADER_BYTES - 1 + node.bytes) / this.#pageBytes) + 1) {
      throw new Damage(`the value at page ${first} does not fill its pages`)
    }
    this.#claim(first, count)
    this.#readInto(this.#head, first * this.#pageBytes)
    this.#checkHeader(this.#head, first)
    const isValue = (this.#head.readUInt16LE(18) & PageFlag.overflow) !== 0
    if (!isValue || this.#head.readUInt32LE(20) !== count) {
      throw new Damage(`page ${first} is not the value that it should be`)
    }
    return count
  }

  /** A copy of a value, wherever it stands. */
  valueOf(node: LeafNode): Buffer {
    if (node.flags !== NodeFlag.bigValue) {
      return Buffer.from(node.page.subarray(node.at, node.at + node.bytes))
    }
    const value = Buffer.allocUnsafe(node.bytes)
    this.#readInto(value, readNumber(node.page, node.at) * this.#pageBytes + PAGE_HEADER_BYTES)
    return value
  }

  /** @throws Damage where one of the pages cannot be free */
  checkFree(first: number, count: number): void {
    if (first < 2 || first + count - 1 > this.#last) throw new Damage(`page ${first} is free but not there`)
    this.#freeBehindEnd += Math.max(first + count - Math.max(first, this.#met.length), 0)
    const end = Math.min(first + count, this.#met.length)
    for (let number = first; number < end; number++) {
      if (this.#met[number] === 1) throw new Damage(`page ${number} is free and in use`)
    }
  }

  /**
   * Checks that what is missing at the end is free, once all free pages were checked. LMDB takes its next
   * pages from behind the last, whatever that says: far outside the map, or of what a file may be.
   * @throws Damage
   */
  checkEnd(): void {
    const missing = this.#last + 1 - this.#met.length - this.#freeBehindEnd
    if (missing * this.#pageBytes <= UNLISTED_BYTES_MAX) return
    throw new Damage(`it has ${this.#met.length} of its ${this.#last + 1} pages`)
  }

  #checkHeader(page: Buffer, number: number): void {
    if (readNumber(page, 0) !== number) throw new Damage(`page ${number} does not bear its number`)
    // LMDB takes a page of a later transaction for one of its own in memory, and writes into the map.
    if (readNumber(page, 8) > this.#transaction) throw new Damage(`page ${number} is newer than the store`)
  }

  #claim(first: number, count: number): void {
    if (first < 2 || first + count > this.#met.length) {
      throw new Damage(`it needs page ${first + count - 1} and ends before`)
    }
    for (let number = first; number < first + count; number++) {
      if (this.#met[number] === 1) throw new Damage(`page ${number} is used twice`)
      this.#met[number] = 1
    }
  }

  #readInto(buffer: Buffer, at: number): void {
    let done = 0
    while (done < buffer.length) {
      const bytes = readSync(this.#file, buffer, done, buffer.length - done, at + done)
      if (bytes === 0) throw new Damage(`it ends at ${at + done} bytes, within a page`)
      done += bytes
    }
  }
}

/** Lists of free pages lose some (see `checkFreeList`). A file that grows by so much too much is harmless. */
const UNLISTED_BYTES_MAX = 16 * 1024 * 1024
