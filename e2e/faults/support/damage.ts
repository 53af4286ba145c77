import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import type { Random } from './seed.js'

/** Where the system's pages are larger, this still hits every one of them. */
const PAGE_BYTES = 4096
/** The first two pages say which state of the store is the last. */
const META_PAGES = 2

/** Ways to spoil a data file, each at a random place. They return what they did. */
const DAMAGES: readonly ((file: string, bytes: Buffer, random: Random) => string)[] = [
  (file, bytes, random) => {
    const length = random.below(bytes.length)
    const descriptor = openSync(file, 'r+')
    ftruncateSync(descriptor, length)
    closeSync(descriptor)
    return `cut off at ${length} of ${bytes.length} bytes`
  },
  (file, bytes, random) => flip(file, bytes, random.below(bytes.length), 1 << random.below(8)),
  (file, bytes, random) => {
    const at = random.below(Math.min(bytes.length, META_PAGES * PAGE_BYTES))
    // Most of a meta page is unused; its first 200 bytes are not.
    return flip(file, bytes, at - (at % PAGE_BYTES) + random.below(200), 1 << random.below(8))
  },
  (file, bytes, random) => overwrite(file, page(bytes, random), new Uint8Array(PAGE_BYTES), 'zeros'),
  (file, bytes, random) => overwrite(file, page(bytes, random), random.bytes(PAGE_BYTES), 'garbage'),
  (file, bytes, random) =>
    overwrite(file, page(bytes, random) + random.below(64), random.bytes(3), 'garbage'),
  (file, bytes, random) => {
    const from = page(bytes, random)
    const copy = bytes.subarray(from, from + PAGE_BYTES)
    return overwrite(file, page(bytes, random), copy, `the page at ${from}`)
  },
  (file, bytes, random) => {
    // As if the last writes of a moment had never reached the disk, though the later ones had.
    const places = Array.from({ length: 3 }, () => page(bytes, random))
    for (const at of places) overwrite(file, at, new Uint8Array(512), '')
    return `512 zeros at each of ${places}`
  },
]

/** Spoils a file at a place and in a way that the index and the seed choose. */
export function damage(file: string, index: number, random: Random): string {
  return DAMAGES[index % DAMAGES.length]!(file, readFileSync(file), random)
}

function page(bytes: Buffer, random: Random): number {
  return random.below(Math.floor(bytes.length / PAGE_BYTES)) * PAGE_BYTES
}

function flip(file: string, bytes: Buffer, at: number, mask: number): string {
  const spoiled = Buffer.from(bytes)
  spoiled[at] = spoiled[at]! ^ mask
  writeFileSync(file, spoiled)
  return `bits ${mask} of byte ${at} flipped`
}

function overwrite(file: string, at: number, bytes: Uint8Array, what: string): string {
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, bytes, 0, bytes.length, at)
  closeSync(descriptor)
  return `${what} over ${bytes.length} bytes at ${at}`
}
