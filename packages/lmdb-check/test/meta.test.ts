import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { open } from 'lmdb'
import { expect, onTestFinished, test } from 'vitest'
import { checkDataFile } from '../src/index.js'

const LAST_PAGE_AT = 144
const TRANSACTION_AT = 152

async function temporaryFile(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'lmdb-check-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return path.join(directory, 'data.mdb')
}

const openStore = (file: string) =>
  open<Buffer, string>({ path: file, encoding: 'binary', overlappingSync: false })

/** Some transactions, large values among them, and some free pages. */
async function filledFile(): Promise<string> {
  const file = await temporaryFile()
  const store = openStore(file)
  for (let i = 0; i < 60; i++) await store.put(`key ${i}`, Buffer.alloc(i % 5 === 0 ? 9_000 : 300, i))
  await store.close()
  return file
}

/** Where the meta page of the last transaction begins. */
function newestMetaAt(bytes: Buffer): number {
  const pageBytes = bytes.readUInt32LE(48)
  const [first, second] = [0, pageBytes].map((at) => bytes.readBigUInt64LE(at + TRANSACTION_AT))
  return first! > second! ? 0 : pageBytes
}

async function findingWith(file: string, spoil: (bytes: Buffer) => void) {
  const bytes = await readFile(file)
  const spoiled = Buffer.from(bytes)
  spoil(spoiled)
  await writeFile(file, spoiled)
  const finding = await checkDataFile(file)
  await writeFile(file, bytes)
  return finding
}

test('a last page far behind the end of the file is damage: LMDB would write there, and die', async () => {
  const file = await filledFile()
  expect(await checkDataFile(file)).toBeUndefined()
  // From 64 MB too much on. The bit of the sixth byte was met: "bits 64 of byte 4245 flipped".
  for (const bit of [14, 15, 20, 30, 40, 46, 50, 63]) {
    const finding = await findingWith(file, (bytes) => {
      const at = newestMetaAt(bytes) + LAST_PAGE_AT
      bytes.writeBigUInt64LE(bytes.readBigUInt64LE(at) ^ (1n << BigInt(bit)), at)
    })
    expect(finding, `bit ${bit}`).toMatchObject({
      kind: 'damaged',
      what: expect.stringMatching(/of its \d+ pages/),
    })
  }
})

test.each([
  ['the tree of free pages has several values to a key', 52, 0x04],
  ['the tree of tables has several values to a key', 100, 0x04],
  ['the store is encrypted', 52, 0x2000],
])('a meta page that claims that %s is damage: LMDB would abort', async (_, flagsAt, flag) => {
  const file = await filledFile()
  const inBoth = await findingWith(file, (bytes) => {
    for (const meta of [0, bytes.readUInt32LE(48)]) {
      const at = meta + flagsAt
      bytes.writeUInt16LE(bytes.readUInt16LE(at) ^ flag, at)
    }
  })
  expect(inBoth).toMatchObject({ kind: 'damaged', what: expect.stringContaining('another kind of entries') })
  const inOne = await findingWith(file, (bytes) => {
    const at = newestMetaAt(bytes) + flagsAt
    bytes.writeUInt16LE(bytes.readUInt16LE(at) ^ flag, at)
  })
  expect(inOne).toMatchObject({ kind: 'damaged', what: expect.stringContaining('contradict each other') })
})

test('pages at the end that were freed before they were written are no damage', async () => {
  const file = await filledFile()
  const store = openStore(file)
  await store.transaction(() => {
    store.put('large', Buffer.alloc(40_000_000))
    store.remove('large')
    store.put('key 1', Buffer.from('after it'))
  })
  await store.close()
  const bytes = await readFile(file)
  const lastPage = Number(bytes.readBigUInt64LE(newestMetaAt(bytes) + LAST_PAGE_AT))
  expect(lastPage * bytes.readUInt32LE(48)).toBeGreaterThan((await stat(file)).size + 30_000_000)
  expect(await checkDataFile(file)).toBeUndefined()
})
