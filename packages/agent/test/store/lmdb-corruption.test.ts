import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkStoreFile } from '../../src/store/lmdb-preflight.js'
import { openLmdbStore } from '../../src/store/lmdb-store.js'
import { COMPACT_ENTRIES_MIN } from '../../src/store/store.js'
import { contentOf, edits } from './edits.js'
import { temporaryDirectory } from './temporary-directory.js'

/** A closed store of several levels of pages, free pages and large values. */
async function createStore(): Promise<{ directory: string; dataFile: string; content: string }> {
  const directory = join(temporaryDirectory(), 'home')
  const updates = [...edits(150, 'x'.repeat(300)), ...edits(20, 'y'.repeat(9000))]
  const store = await openLmdbStore(directory, 'home')
  for (const update of updates) await store.append(update, 5)
  await store.close()
  return { directory, dataFile: join(directory, 'data.mdb'), content: contentOf(updates) }
}

/** Opens, loads, appends twice (which reuses free pages) and closes. */
async function use(directory: string): Promise<string> {
  const store = await openLmdbStore(directory, 'home')
  try {
    const { updates } = await store.load()
    for (const update of edits(2)) await store.append(update, 0)
    return contentOf(updates)
  } finally {
    await store.close()
  }
}

async function outcome(directory: string): Promise<string> {
  return use(directory).catch((error: { code?: string }) =>
    error.code === 'store-corrupt' ? error.code : String(error),
  )
}

test('a data file that is cut off anywhere is store-corrupt, and is left as it is', async () => {
  const { directory, dataFile, content } = await createStore()
  const whole = readFileSync(dataFile)
  for (let bytes = 0; bytes < whole.length; bytes += 4096 * 5 + 1) {
    writeFileSync(dataFile, whole.subarray(0, bytes))
    rmSync(join(directory, 'lock.mdb'))
    const result = await outcome(directory)
    // The end of the file may be free pages, and then nothing is missing.
    if (result === content) continue
    expect(result, `cut off at ${bytes} of ${whole.length}`).toBe('store-corrupt')
    expect(statSync(dataFile).size).toBe(bytes)
    if (!existsSync(join(directory, 'lock.mdb'))) writeFileSync(join(directory, 'lock.mdb'), '')
  }
  writeFileSync(dataFile, whole.subarray(0, whole.length / 2))
  expect(await outcome(directory)).toBe('store-corrupt')
})

test.each([
  ['the head', 0, 64],
  ['the first page', 0, 4096],
  ['both meta pages', 0, 32768],
  ['everything', 0, 0],
])('a data file with %s overwritten is store-corrupt', async (_what, from, to) => {
  const { directory, dataFile } = await createStore()
  const bytes = readFileSync(dataFile)
  writeFileSync(dataFile, bytes.fill('milk ', from, to || bytes.length))
  await expect(openLmdbStore(directory, 'home')).rejects.toMatchObject({
    code: 'store-corrupt',
    message: expect.stringContaining(directory),
  })
})

test('a flipped bit in a stored update is store-corrupt, and names the directory', async () => {
  const { directory, dataFile } = await createStore()
  const bytes = readFileSync(dataFile)
  const at = bytes.indexOf('y'.repeat(9000)) + 4500
  bytes[at]! ^= 1
  writeFileSync(dataFile, bytes)
  const store = await openLmdbStore(directory, 'home')
  await expect(store.load()).rejects.toMatchObject({
    code: 'store-corrupt',
    message: expect.stringContaining(directory),
  })
  await store.close()
  expect(readFileSync(dataFile).equals(bytes)).toBe(true)
})

test('a flipped bit stops a compaction before it changes anything', async () => {
  const directory = join(temporaryDirectory(), 'home')
  const dataFile = join(directory, 'data.mdb')
  const writer = await openLmdbStore(directory, 'home')
  await Promise.all(edits(COMPACT_ENTRIES_MIN, 'flip').map((update) => writer.append(update, 0)))
  await writer.close()
  const bytes = readFileSync(dataFile)
  bytes[bytes.indexOf('flip/7')]! ^= 1
  writeFileSync(dataFile, bytes)
  const store = await openLmdbStore(directory, 'home')
  await expect(store.load()).rejects.toMatchObject({ code: 'store-corrupt' })
  await store.close()
  expect(readFileSync(dataFile).equals(bytes)).toBe(true)
})

/** Where a meta page names the size of pages; depends on the system. */
const PAGE_BYTES_AT = 48
const FREE_TREE_AT = 48
const MAIN_TREE_AT = 96

/** What LMDB, or our own reading, would trust in if nobody looked. Each gets a store of a few records. */
const TRUSTED: [what: string, harm: (bytes: Buffer, newestMetaAt: number) => void][] = [
  [
    'a page of a later transaction',
    (bytes, meta) => bytes.writeUInt8(1, rootOf(bytes, meta + MAIN_TREE_AT) + 14),
  ],
  [
    'a page whose free space is outside',
    (bytes, meta) => bytes.writeUInt16LE(9999, rootOf(bytes, meta + MAIN_TREE_AT) + 22),
  ],
  [
    'a node outside its page',
    (bytes, meta) => bytes.writeUInt16LE(4070, rootOf(bytes, meta + MAIN_TREE_AT) + 24),
  ],
  [
    'a page of another kind',
    (bytes, meta) => bytes.writeUInt16LE(1, rootOf(bytes, meta + MAIN_TREE_AT) + 18),
  ],
  ['a page that is another one', (bytes, meta) => bytes.writeUInt8(9, rootOf(bytes, meta + MAIN_TREE_AT))],
  [
    'fewer nodes than entries',
    (bytes, meta) => bytes.writeUInt16LE(2, rootOf(bytes, meta + MAIN_TREE_AT) + 20),
  ],
  [
    'a list of free pages longer than its record',
    (bytes, meta) => {
      const node = nodeOf(bytes, meta + FREE_TREE_AT, 0)
      recordAt(bytes, node).writeUInt32LE(100_000)
    },
  ],
  ['a newest meta page that looks older', (bytes, meta) => bytes.writeBigUInt64LE(0n, meta + 152)],
  [
    'a key that sorts before all updates',
    (bytes, meta) => bytes.writeUInt8(1, nodeOf(bytes, meta + MAIN_TREE_AT, 0) + 8),
  ],
  [
    'a key of another kind',
    (bytes, meta) => bytes.writeUInt8(0x61, nodeOf(bytes, meta + MAIN_TREE_AT, 0) + 8),
  ],
  [
    'two nodes that are one',
    (bytes, meta) => {
      const root = rootOf(bytes, meta + MAIN_TREE_AT)
      bytes.copy(bytes, root + 26, root + 24, root + 26)
    },
  ],
  [
    'a record in the place of another one',
    (bytes, meta) => {
      const [third, fourth] = [2, 3].map((index) =>
        recordAt(bytes, nodeOf(bytes, meta + MAIN_TREE_AT, index)),
      )
      expect(fourth!.copy(third!)).toBe(third!.length)
    },
  ],
]

test.each(TRUSTED)('%s is store-corrupt', async (_what, harm) => {
  const directory = join(temporaryDirectory(), 'home')
  const store = await openLmdbStore(directory, 'home')
  for (const update of edits(5)) await store.append(update, 1)
  await store.close()
  expect(await outcome(directory)).toBe(contentOf(edits(5)))
  const bytes = readFileSync(join(directory, 'data.mdb'))
  const pageBytes = bytes.readUInt32LE(PAGE_BYTES_AT)
  const [first, second] = [bytes.readBigUInt64LE(152), bytes.readBigUInt64LE(pageBytes + 152)]
  harm(bytes, first > second ? 0 : pageBytes)
  writeFileSync(join(directory, 'data.mdb'), bytes)
  expect(await outcome(directory)).toBe('store-corrupt')
})

test('a branch with two links to one page is store-corrupt', async () => {
  const { directory, dataFile } = await createStore()
  const bytes = readFileSync(dataFile)
  const pageBytes = bytes.readUInt32LE(PAGE_BYTES_AT)
  const meta = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(pageBytes + 152) ? 0 : pageBytes
  const [first, second] = [0, 1].map((index) => nodeOf(bytes, meta + MAIN_TREE_AT, index))
  bytes.copy(bytes, second, first, first! + 6)
  writeFileSync(dataFile, bytes)
  await expect(openLmdbStore(directory, 'home')).rejects.toMatchObject({ code: 'store-corrupt' })
})

/** Where the root page of a tree starts. */
function rootOf(bytes: Buffer, treeAt: number): number {
  return Number(bytes.readBigUInt64LE(treeAt + 40)) * bytes.readUInt32LE(PAGE_BYTES_AT)
}

/** Where a node of a root page starts: value size (or page), flags, key size, key, value. */
function nodeOf(bytes: Buffer, treeAt: number, index: number): number {
  const root = rootOf(bytes, treeAt)
  return root + 24 + bytes.readUInt16LE(root + 24 + index * 2)
}

function recordAt(bytes: Buffer, node: number): Buffer {
  const start = node + 8 + bytes.readUInt16LE(node + 6)
  return bytes.subarray(start, start + bytes.readUInt32LE(node))
}

test('random damage never ends the process, and never passes for other content', async () => {
  const { directory, dataFile, content } = await createStore()
  const sound = `${dataFile}.sound`
  copyFileSync(dataFile, sound)
  const seed = Number(process.env.SKEIN_SEED ?? Math.floor(Math.random() * 2 ** 32))
  const random = randomFrom(seed)
  for (let round = 0; round < 150; round++) {
    const bytes = readFileSync(sound)
    damage(bytes, round, random)
    writeFileSync(dataFile, bytes)
    rmSync(join(directory, 'lock.mdb'), { force: true })
    // Damage to free pages is none.
    expect(['store-corrupt', content], `SKEIN_SEED=${seed}, round ${round}`).toContain(
      await outcome(directory),
    )
  }
})

test('a sound file passes the check after every commit', async () => {
  const directory = join(temporaryDirectory(), 'home')
  const updates = edits(3 * COMPACT_ENTRIES_MIN, 'z'.repeat(700))
  while (updates.length > 0) {
    const store = await openLmdbStore(directory, 'home')
    await store.load()
    for (const update of updates.splice(0, COMPACT_ENTRIES_MIN + 10)) {
      await store.append(update, 0)
      await checkStoreFile(join(directory, 'data.mdb'))
    }
    await store.close()
  }
})

test('a check while another store writes finds nothing wrong', async () => {
  const directory = join(temporaryDirectory(), 'home')
  const store = await openLmdbStore(directory, 'home')
  let writing = true
  const written = (async () => {
    for (const update of edits(150, 'w'.repeat(2000))) await store.append(update, 0)
    writing = false
  })()
  while (writing) await checkStoreFile(join(directory, 'data.mdb'))
  await written
  await store.close()
})

/** Overwrites some bytes anywhere, a whole page, the head of a page, or a page with another one. */
function damage(bytes: Buffer, kind: number, random: (below: number) => number): void {
  const page = () => random(bytes.length / 4096) * 4096
  const scatter = (start: number, length: number, count: number) => {
    for (let i = 0; i < count; i++) bytes[start + random(length)] = random(256)
  }
  if (kind % 4 === 0) scatter(0, bytes.length, 5)
  else if (kind % 4 === 1) scatter(page(), 4096, 4096)
  else if (kind % 4 === 2) scatter(page(), 64, 6)
  else {
    const source = page()
    bytes.copy(bytes, page(), source, source + 4096)
  }
}

/** Whole numbers below a bound, the same ones for the same seed (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
