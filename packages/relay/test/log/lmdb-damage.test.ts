import { cp, open, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDataDirectory } from '../../src/data/data-directory.js'
import { openLmdbLog } from '../../src/log/lmdb-log.js'
import { checkStore } from '../../src/log/lmdb-preflight.js'
import { collect } from '../../src/log/log.js'
import { randomFrom, runSeed, temporaryDirectory } from '../helpers.js'
import { startChild } from './child.js'
import { openLmdb } from './open-lmdb.js'

const ROOMS = 10
const UPDATES = 100
/** Where the system's pages are larger, this still hits every one of them. */
const PAGE_BYTES = 4096

/** A data directory with ten rooms, some updates with pages of their own, and free pages. */
async function filledDirectory(): Promise<string> {
  const path = await temporaryDirectory()
  const log = await openLmdb(path)
  for (let position = 0; position < UPDATES; position++) {
    const appends = Array.from({ length: ROOMS }, (_, room) => {
      const update = new Uint8Array(position % 20 === 0 ? 9000 : 120).fill(room * 16 + (position % 16))
      return log.append(`room-${room}`, [{ position, update }])
    })
    await Promise.all(appends)
  }
  await log.close()
  return path
}

/** MDB_page.mp_flags of a leaf. */
const LEAF_FLAG = 2

const storeOf = (path: string) => join(path, 'data.mdb')

async function overwrite(path: string, at: number, bytes: Uint8Array): Promise<void> {
  const file = await open(storeOf(path), 'r+')
  await file.write(bytes, 0, bytes.length, at)
  await file.close()
}

async function expectRefused(path: string, code: string, message: RegExp): Promise<void> {
  const before = await readFile(storeOf(path))
  const directory = await openDataDirectory(path)
  await expect(openLmdbLog(directory)).rejects.toMatchObject({ name: 'RelayError', code, message })
  await directory.release()
  expect(Buffer.compare(await readFile(storeOf(path)), before)).toBe(0)
}

test('one damaged record makes its room room-corrupt; other rooms work, and replace mends it', async () => {
  const path = await filledDirectory()
  const bytes = await readFile(storeOf(path))
  // Room 3, position 21: the only place with 120 bytes of this value.
  const at = bytes.lastIndexOf(Buffer.alloc(120, 3 * 16 + 5))
  await overwrite(path, at + 60, new Uint8Array([0xff]))
  const log = await openLmdb(path)
  await expect(collect(log.load('room-3'))).rejects.toMatchObject({
    code: 'room-corrupt',
    message: /room "room-3"/,
  })
  for (const room of [0, 1, 2, 4, 5, 6, 7, 8, 9])
    expect(await collect(log.load(`room-${room}`))).toHaveLength(UPDATES)
  await log.append('room-3', [{ position: UPDATES, update: new Uint8Array([1]) }])
  await log.replace('room-3', 0, UPDATES - 1, new Uint8Array([2]))
  expect(await collect(log.load('room-3'))).toHaveLength(2)
})

test.each([0.01, 0.3, 0.7, 0.95])('a store cut off after %f of its length is data-corrupt', async (part) => {
  const path = await filledDirectory()
  const { size } = await stat(storeOf(path))
  await truncate(storeOf(path), Math.floor(size * part))
  await expectRefused(path, 'data-corrupt', /Nothing was changed. Restore .* backup, or start on an empty/)
})

test.each([
  ['a text file', Buffer.from('not a database'.repeat(1000))],
  ['zeros', Buffer.alloc(100_000)],
])('%s in the place of the store is data-corrupt', async (_, bytes) => {
  const path = await filledDirectory()
  await writeFile(storeOf(path), bytes)
  await expectRefused(path, 'data-corrupt', /does not start like an LMDB file/)
})

test('a store of a later LMDB format is data-version', async () => {
  const path = await filledDirectory()
  await overwrite(path, 28, new Uint8Array([3, 0, 0, 0]))
  await expectRefused(path, 'data-version', /version 3/)
})

test('a damaged second meta page is noticed, though LMDB does not look at it', async () => {
  const path = await filledDirectory()
  const pageBytes = (await readFile(storeOf(path))).readUInt32LE(48)
  await overwrite(path, pageBytes + 24, new Uint8Array(100).fill(0xff))
  await expectRefused(path, 'data-corrupt', /does not start like/)
})

test('a store that is too large to be walked is still refused when its end is missing', async () => {
  const path = await temporaryDirectory()
  const log = await openLmdb(path)
  await log.append('room', [{ position: 0, update: new Uint8Array(40_000_000) }])
  await log.close()
  await checkStore(storeOf(path), 0)
  await truncate(storeOf(path), 20_000_000)
  await expect(checkStore(storeOf(path), 0)).rejects.toMatchObject({ code: 'data-corrupt' })
})

test('whatever page is damaged, the process lives, and no room loses updates without an error', async () => {
  const original = await filledDirectory()
  const random = randomFrom(runSeed('packages/relay/test/log/lmdb-damage.test.ts'))
  const pages = Math.floor((await stat(storeOf(original))).size / PAGE_BYTES)
  const paths: string[] = []
  for (let i = 0; i < 80; i++) {
    const path = await temporaryDirectory()
    await cp(original, path, { recursive: true })
    const page = Math.floor(random() * pages) * PAGE_BYTES
    const garbage = new Uint8Array(PAGE_BYTES).map(() => random() * 256)
    if (i % 4 === 0) await overwrite(path, page, garbage)
    if (i % 4 === 1) await overwrite(path, page, new Uint8Array(PAGE_BYTES))
    // The first bytes of a page hold its structure.
    if (i % 4 === 2) await overwrite(path, page + Math.floor(random() * 64), garbage.subarray(0, 3))
    if (i % 4 === 3) await overwrite(path, page + Math.floor(random() * PAGE_BYTES), garbage.subarray(0, 1))
    paths.push(path)
  }
  const child = startChild('open-all', paths)
  await child.ended
  expect(child.process.signalCode, child.errors.join('\n')).toBeNull()
  const outcomes = child.lines.map((line) => JSON.parse(line))
  expect(outcomes).toHaveLength(paths.length)
  for (const outcome of outcomes) {
    if (outcome === 'data-corrupt') continue
    for (const room of outcome) expect([UPDATES, 'room-corrupt']).toContain(room)
  }
  // The damage must be found in some, or this test sees nothing.
  expect(outcomes.filter((outcome) => outcome === 'data-corrupt').length).toBeGreaterThan(5)
}, 60_000)

test('whatever bit of the meta pages is flipped, the process lives', async () => {
  const original = await filledDirectory()
  const random = randomFrom(runSeed('packages/relay/test/log/lmdb-damage.test.ts'))
  const bytes = await readFile(storeOf(original))
  const pageBytes = bytes.readUInt32LE(48)
  const paths: string[] = []
  // One of them is the newest, and what it says of the last page decides how much LMDB maps.
  for (const meta of [0, pageBytes]) {
    for (let at = meta + 24; at < meta + 168; at++) {
      const path = await temporaryDirectory()
      await cp(original, path, { recursive: true })
      await overwrite(path, at, new Uint8Array([bytes[at]! ^ (1 << Math.floor(random() * 8))]))
      paths.push(path)
    }
  }
  const child = startChild('open-all', paths)
  await child.ended
  const { signalCode } = child.process
  expect(signalCode, `at byte ${24 + (child.lines.length % 144)} of a meta page`).toBeNull()
  expect(child.lines).toHaveLength(paths.length)
}, 120_000)

test('a page in use that lost an entry, or was replaced by another sound page, is noticed', async () => {
  const path = await filledDirectory()
  const bytes = await readFile(storeOf(path))
  const pageBytes = bytes.readUInt32LE(48)
  const isLeaf = (at: number) => bytes.readUInt16LE(at + 18) === LEAF_FLAG
  const isRefused = async (at: number, page: Uint8Array) => {
    await overwrite(path, at, page)
    const code = await checkStore(storeOf(path)).then(
      () => undefined,
      (error) => error.code,
    )
    await overwrite(path, at, bytes.subarray(at, at + pageBytes))
    return code === 'data-corrupt'
  }
  const leaves = []
  for (let at = 2 * pageBytes; at < bytes.length; at += pageBytes) if (isLeaf(at)) leaves.push(at)
  let inUse = 0
  for (const [index, at] of leaves.entries()) {
    if (index % 3 !== 0 || !(await isRefused(at, Buffer.alloc(pageBytes)))) continue
    inUse++
    const shorter = Buffer.from(bytes.subarray(at, at + pageBytes))
    shorter.writeUInt16LE(shorter.readUInt16LE(20) - 2, 20)
    expect(await isRefused(at, shorter)).toBe(true)
    const other = leaves[(index + 1) % leaves.length]!
    expect(await isRefused(at, bytes.subarray(other, other + pageBytes))).toBe(true)
  }
  expect(inUse).toBeGreaterThan(10)
}, 30_000)

test('no store that LMDB wrote is taken for damaged, whatever was freed and used again', async () => {
  const path = await temporaryDirectory()
  const random = randomFrom(runSeed('packages/relay/test/log/lmdb-damage.test.ts'))
  const log = await openLmdb(path)
  const last = new Map<string, number>()
  for (let round = 0; round < 60; round++) {
    const calls = Array.from({ length: 30 }, () => {
      const room = `room-${Math.floor(random() * 30)}`
      const position = (last.get(room) ?? -1) + 1
      const update = new Uint8Array(random() < 0.1 ? random() * 90_000 : random() * 400)
      if (random() < 0.15 && position > 0) return log.replace(room, 0, position - 1, update)
      last.set(room, position)
      return log.append(room, [{ position, update }])
    })
    await Promise.all(calls)
    if (round % 3 === 0) await checkStore(storeOf(path))
  }
}, 30_000)
