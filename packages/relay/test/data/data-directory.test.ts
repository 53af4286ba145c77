import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDataDirectory } from '../../src/data/data-directory.js'
import { openLmdbLog } from '../../src/log/lmdb-log.js'
import { temporaryDirectory } from '../helpers.js'

const IDENTITY = 'skein-relay.json'

async function opened(path: string) {
  const directory = await openDataDirectory(path)
  onTestFinished(() => directory.release())
  return directory
}

/** A data directory that was used and left in order. */
async function usedDirectory() {
  const path = await temporaryDirectory()
  const directory = await opened(path)
  const log = await openLmdbLog(directory)
  await log.append('room', [{ position: 0, update: new Uint8Array([1]) }])
  await log.close()
  await directory.release()
  return { path, relayId: directory.relayId }
}

test('a missing directory is made, parents included, with an identity that stays', async () => {
  const path = join(await temporaryDirectory(), 'a', 'b')
  const first = await opened(path)
  expect(first.path).toBe(path)
  expect(first.relayId).toMatch(/^[0-9a-f-]{36}$/)
  await first.release()
  const identity = JSON.parse(await readFile(join(path, IDENTITY), 'utf8'))
  expect(identity).toMatchObject({ format: 'skein-relay-data', version: 1, relayId: first.relayId })
  expect(new Date(identity.createdAt).toISOString()).toBe(identity.createdAt)
  expect((await opened(path)).relayId).toBe(first.relayId)
})

test('two directories have two identities', async () => {
  expect((await usedDirectory()).relayId).not.toBe((await usedDirectory()).relayId)
})

test('a fresh volume, which has a lost+found, is an empty directory', async () => {
  const path = await temporaryDirectory()
  await mkdir(join(path, 'lost+found'))
  await opened(path)
})

test.each([
  [
    'other files',
    ['photo.jpg', 'notes.txt'],
    /no skein-relay.json, but .*photo.jpg.* Name an empty or a new/,
  ],
  ['a store without an identity', ['data.mdb', 'lock.mdb'], /put its skein-relay.json back/],
])('a directory with %s is data-foreign and left as it is', async (_, names, message) => {
  const path = await temporaryDirectory()
  for (const name of names) await writeFile(join(path, name), name)
  await expect(openDataDirectory(path)).rejects.toMatchObject({ code: 'data-foreign', message })
  expect((await readdir(path)).sort()).toEqual(names.sort())
  for (const name of names) expect(await readFile(join(path, name), 'utf8')).toBe(name)
})

test('an identity of a newer relay is data-version', async () => {
  const { path } = await usedDirectory()
  await writeFile(join(path, IDENTITY), JSON.stringify({ format: 'skein-relay-data', version: 2 }))
  await expect(openDataDirectory(path)).rejects.toMatchObject({
    code: 'data-version',
    message: /newer relay/,
  })
})

test.each(['', '{', 'null', '{"format":"other","version":1}', '{"format":"skein-relay-data","version":1}'])(
  'an identity file that says %j is data-corrupt and left as it is',
  async (text) => {
    const { path } = await usedDirectory()
    await writeFile(join(path, IDENTITY), text)
    await expect(openDataDirectory(path)).rejects.toMatchObject({ code: 'data-corrupt' })
    expect(await readFile(join(path, IDENTITY), 'utf8')).toBe(text)
  },
)

test('a store that is gone or empty is data-corrupt, not made anew', async () => {
  const { path } = await usedDirectory()
  await rm(join(path, 'data.mdb'))
  await expect(openDataDirectory(path)).rejects.toMatchObject({
    code: 'data-corrupt',
    message: /missing or empty/,
  })
  expect(await readdir(path)).not.toContain('data.mdb')
  await writeFile(join(path, 'data.mdb'), '')
  await expect(openDataDirectory(path)).rejects.toMatchObject({ code: 'data-corrupt' })
})

test('the store of another relay under this identity is data-foreign', async () => {
  const ours = await usedDirectory()
  const theirs = await usedDirectory()
  await rename(join(theirs.path, 'data.mdb'), join(ours.path, 'data.mdb'))
  const message = new RegExp(`belongs to relay ${theirs.relayId}, .* says ${ours.relayId}`)
  await expect(openLmdbLog(await opened(ours.path))).rejects.toMatchObject({ code: 'data-foreign', message })
})

test.each([
  ['before the store', '{ "format": "skein-relay-data", "vers', []],
  ['while the store was made', '{}', ['data.mdb', 'lock.mdb']],
])('a crash at the first start, %s, is recovered from', async (_, identity, files) => {
  const path = await temporaryDirectory()
  await writeFile(join(path, `${IDENTITY}.new`), identity)
  for (const name of files) await writeFile(join(path, name), 'half of a sto')
  const directory = await opened(path)
  const log = await openLmdbLog(directory)
  await log.close()
  expect((await readdir(path)).filter((name) => name.includes('.new'))).toEqual([])
})

test('a directory that cannot be made is data-not-writable', async () => {
  const file = join(await temporaryDirectory(), 'file')
  await writeFile(file, '')
  const expected = { code: 'data-not-writable', message: /Name another one/ }
  await expect(openDataDirectory(file)).rejects.toMatchObject(expected)
  await expect(openDataDirectory(join(file, 'below'))).rejects.toMatchObject(expected)
})

test.skipIf(process.platform !== 'linux').each(['/proc/skein', '/sys/skein/deep', '/proc'])(
  '%s is refused, and soon',
  async (path) => {
    const refusal = expect(openDataDirectory(path)).rejects
    await refusal.toMatchObject({ code: path === '/proc' ? 'data-foreign' : 'data-not-writable' })
  },
)
