import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLmdbStore } from '../../src/store/lmdb-store.js'
import { edits } from './edits.js'
import { temporaryDirectory } from './temporary-directory.js'

const IDENTITY = 'skein-store.json'

/** A new store with one update, closed again. */
async function createStore(directory: string): Promise<void> {
  const store = await openLmdbStore(directory, 'home')
  await store.append(edits(1)[0]!, 1)
  await store.close()
}

function contents(directory: string): [name: string, bytes: string][] {
  return readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'base64')])
}

test('a new directory gets an identity file, and its parents are created', async () => {
  const directory = join(temporaryDirectory(), 'some', 'where', 'home')
  await createStore(directory)
  expect(JSON.parse(readFileSync(join(directory, IDENTITY), 'utf8'))).toEqual({
    format: 'skein-agent-store',
    version: 1,
    space: 'home',
  })
  expect(readdirSync(directory).sort()).toEqual(['data.mdb', 'lock.mdb', IDENTITY])
})

test('an empty directory becomes a store', async () => {
  const directory = temporaryDirectory()
  await createStore(directory)
  expect(readdirSync(directory)).toContain(IDENTITY)
})

const identity = (fields: object) =>
  JSON.stringify({ format: 'skein-agent-store', version: 1, space: 'home', ...fields })

test.each([
  ["somebody else's file", 'notes.txt', 'milk', 'not empty'],
  ['an LMDB environment without identity', 'data.mdb', 'x', 'not empty'],
  ['another format', IDENTITY, identity({ format: 'other' }), 'another format'],
  ['no JSON', IDENTITY, 'milk', 'no JSON'],
  ['JSON that is no object', IDENTITY, 'null', 'another format'],
  ['another space', IDENTITY, identity({ space: 'office' }), '"office"'],
  ['a later version', IDENTITY, identity({ version: 2 }), 'use a newer Skein'],
])('a directory with %s is foreign and is not touched', async (_what, name, text, reason) => {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, name), text)
  const before = contents(directory)
  await expect(openLmdbStore(directory, 'home')).rejects.toMatchObject({
    code: 'store-foreign',
    message: expect.stringContaining(reason),
  })
  expect(contents(directory)).toEqual(before)
})

test('a file in the place of the directory is foreign', async () => {
  const file = join(temporaryDirectory(), 'home')
  writeFileSync(file, 'milk')
  await expect(openLmdbStore(file, 'home')).rejects.toMatchObject({ code: 'store-foreign' })
  expect(readFileSync(file, 'utf8')).toBe('milk')
})

test.each(['/dev/null/home', '/proc/home'])('%s cannot be created: store-unavailable', async (directory) => {
  await expect(openLmdbStore(directory, 'home')).rejects.toMatchObject({ code: 'store-unavailable' })
})

test('a start that was interrupted before the first append goes on', async () => {
  const directory = temporaryDirectory()
  await createStore(directory)
  // As a process leaves it that dies just before the rename, in the middle of LMDB's first write.
  renameSync(join(directory, IDENTITY), join(directory, `${IDENTITY}.new`))
  writeFileSync(join(directory, 'data.mdb'), '')
  rmSync(join(directory, 'lock.mdb'))
  await createStore(directory)
  expect(readdirSync(directory).sort()).toEqual(['data.mdb', 'lock.mdb', IDENTITY])
})

test('stores may be created in one directory at the same time', async () => {
  const directory = join(temporaryDirectory(), 'home')
  const stores = await Promise.all([1, 2, 3].map(() => openLmdbStore(directory, 'home')))
  await Promise.all(stores.map((store, i) => store.append(edits(3)[i]!, 0)))
  for (const store of stores) expect((await store.load()).updates).toHaveLength(3)
  await Promise.all(stores.map((store) => store.close()))
})

test('a store whose data file is gone is corrupt, and no new one is made', async () => {
  const directory = join(temporaryDirectory(), 'home')
  await createStore(directory)
  rmSync(join(directory, 'data.mdb'))
  await expect(openLmdbStore(directory, 'home')).rejects.toMatchObject({ code: 'store-corrupt' })
  expect(readdirSync(directory)).not.toContain('data.mdb')
})

test('a directory in the place of the data file is refused', async () => {
  const directory = join(temporaryDirectory(), 'home')
  await createStore(directory)
  rmSync(join(directory, 'data.mdb'))
  mkdirSync(join(directory, 'data.mdb'))
  await expect(openLmdbStore(directory, 'home')).rejects.toMatchObject({ code: 'store-unavailable' })
})
