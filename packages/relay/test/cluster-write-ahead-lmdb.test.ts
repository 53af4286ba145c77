import { existsSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ByteWriter } from '../src/cluster/bytes.js'
import { openClusterStorage } from '../src/cluster/cluster.js'
import { openLmdbStorage } from '../src/cluster/lmdb-storage.js'
import type { ClusterMeta } from '../src/cluster/storage.js'
import { SEGMENT_FILES } from '../src/cluster/write-ahead/segment.js'
import { openDataDirectory } from '../src/data/data-directory.js'
import { openEnvironment } from '../src/log/lmdb-environment.js'
import { encodeRecord } from '../src/log/record.js'
import { copyFiles, recordOf, recordWrite } from './cluster-write-ahead-helpers.js'
import { randomFrom, runSeed, temporaryDirectory } from './helpers.js'
import { startChild } from './log/child.js'

const SUITE = 'packages/relay/test/cluster-write-ahead-lmdb.test.ts'
const META: ClusterMeta = {
  id: 'r1',
  incarnation: 1,
  listed: ['r1'],
  founding: [{ id: 'r1', store: 's1' }],
  cluster: 'c',
  addresses: {},
}

async function environmentIn(directory: string) {
  const data = await openDataDirectory(directory)
  const environment = await openEnvironment(data)
  const close = async () => {
    await environment.close()
    await data.release()
  }
  onTestFinished(close)
  return { ...environment, close }
}

function writeOf(key: string, version: number) {
  return { ...recordWrite(key, version), number: version }
}

test('K15 a flush of promises is no commit of LMDB; keys of both are listed in their order', async () => {
  const directory = temporaryDirectory()
  const first = await environmentIn(directory)
  const before = await openLmdbStorage(first)
  await before.write(() => ['b', 'd', '\u{10000}'].map((key) => writeOf(key, 1)))
  await first.close()
  const environment = await environmentIn(directory)
  const { store, write, checkpoints } = await openLmdbStorage(environment)
  await write(() => ['a', 'c', 'd', '\uffff'].map((key) => writeOf(key, 2)))
  expect(checkpoints()).toBe(0)
  expect([...environment.acceptor.getKeys()].map(String)).toEqual(['b', 'd', '\u{10000}'])
  const keys = ['a', 'b', 'c', 'd', '\uffff', '\u{10000}']
  expect(store.keys('', 100)).toEqual(keys)
  for (const [i, key] of keys.entries()) expect(store.keys(key, 2)).toEqual(keys.slice(i + 1, i + 3))
  expect(store.get('d')).toEqual(recordOf(2))
  expect(store.get('b')).toEqual(recordOf(1))
})

test('K15 a configuration that only the files have is the one it starts with', async () => {
  const directory = temporaryDirectory()
  const environment = await environmentIn(directory)
  const storage = await openLmdbStorage(environment)
  await storage.save(META, { epoch: 1, members: META.founding! })
  const configuration = { epoch: 2, members: META.founding!, next: [{ id: 'r2', store: 's2' }] }
  await storage.write(() => [{ number: 1, kind: 'configuration', configuration }])
  const crashed = temporaryDirectory()
  copyFiles(directory, crashed)
  const again = await openLmdbStorage(await environmentIn(crashed))
  expect(again.meta).toEqual(META)
  expect(again.configuration).toEqual(configuration)
})

test('K8 one that was asked to decide something is not free, though only the files know', async () => {
  const directory = temporaryDirectory()
  const { storage } = await openClusterStorage(await environmentIn(directory), { id: 'r1' })
  const founding = [{ id: 'r1', store: 's1' }]
  await storage.save({ ...META, founding }, { epoch: 1, members: founding })
  await storage.write(() => [writeOf('k', 1)])
  const crashed = temporaryDirectory()
  copyFiles(directory, crashed)
  const opening = openClusterStorage(await environmentIn(crashed), { id: 'other' })
  await expect(opening).rejects.toMatchObject({ code: 'cluster-mismatch' })
})

test('K17 a directory that was stopped in order has all in LMDB, and still needs its files', async () => {
  const directory = temporaryDirectory()
  const environment = await environmentIn(directory)
  await (await openLmdbStorage(environment)).write(() => [writeOf('k', 1)])
  await environment.close()
  expect(readdirSync(directory).filter((name) => name.endsWith('.wal'))).toEqual([...SEGMENT_FILES])
  rmSync(path.join(directory, SEGMENT_FILES[0]))
  const again = await environmentIn(directory)
  expect([...again.acceptor.getKeys()].map(String)).toEqual(['k'])
  await expect(openLmdbStorage(again)).rejects.toMatchObject({ code: 'data-corrupt' })
  expect(existsSync(path.join(directory, SEGMENT_FILES[0]))).toBe(false)
})

test('K18 a directory of before is taken over, and its relay cannot be put back', async () => {
  const directory = temporaryDirectory()
  const old = await environmentIn(directory)
  const put = (key: string, write: (writer: ByteWriter) => void) => {
    const writer = new ByteWriter()
    writer.byte(1)
    write(writer)
    return old.cluster.put(Buffer.from(key), encodeRecord(Buffer.from(key), writer.finish()))
  }
  const founding = [...META.founding!, { id: 'r2', store: 's2' }]
  const before = { ...META, listed: ['r1', 'r2'], founding }
  await put('meta', (writer) => writer.text(JSON.stringify(before)))
  await old.close()
  const environment = await environmentIn(directory)
  const { storage, meta } = await openClusterStorage(environment, { id: 'r1' })
  expect(meta).toEqual({ ...before, incarnation: 2 })
  // Behind the checksum: the format, of which the relay of before knows 1.
  expect(environment.cluster.get(Buffer.from('meta'))![4]).toBe(2)
  await storage.write(() => [writeOf('k', 1)])
  const crashed = temporaryDirectory()
  copyFiles(directory, crashed)
  const again = await openLmdbStorage(await environmentIn(crashed))
  expect(again.store.get('k')).toEqual(recordOf(1))
})

/** Checks that all that the child was told to be on disk is there, whole. */
async function expectAll(directory: string, reported: ReadonlyMap<string, number>): Promise<void> {
  const environment = await environmentIn(directory)
  const { store } = await openLmdbStorage(environment)
  for (const [key, version] of reported) {
    const { register } = store.get(key)!
    expect(register.version, key).toBeGreaterThanOrEqual(version)
    const text = `${key}@${register.version};`
    expect(register.data === text.repeat(register.data!.length / text.length), key).toBe(true)
  }
  await environment.close()
}

function note(reported: Map<string, number>, lines: readonly string[]): void {
  for (const line of lines) {
    const [key, version] = line.split(' ')
    if (key !== 'refused') reported.set(key!, Number(version))
  }
}

test('K15 after kill -9, everything that was reported as on disk is there', async () => {
  const directory = temporaryDirectory()
  const seed = runSeed(SUITE)
  const random = randomFrom(seed)
  const reported = new Map<string, number>()
  for (let kill = 0; kill < 6; kill++) {
    const child = startChild('promise-loop', [directory, `${seed + kill}`, '300'])
    await child.hasPrinted(1 + Math.floor(random() * 3000))
    await child.kill()
    expect(child.errors).toEqual([])
    note(reported, child.lines)
    await expectAll(directory, reported)
  }
  expect(reported.size).toBe(30)
}, 60_000)

const FILE_BLOCKS_MAX = 1500

// A limit of the file's size stands for a full disk, as in the tests of the log.
test.skipIf(process.platform === 'win32')(
  'K16 a full disk ends it with an error, when a checkpoint finds no space; nothing is lost',
  async () => {
    const directory = temporaryDirectory()
    const limited = ['sh', '-c', `ulimit -f ${FILE_BLOCKS_MAX}; exec "$@"`, '-']
    const child = startChild('promise-loop', [directory, '1', '40000'], limited)
    await child.ended
    expect(child.lines.at(-1), child.errors.join('\n')).toBe('refused log-write')
    const reported = new Map<string, number>()
    note(reported, child.lines)
    expect(reported.size).toBeGreaterThan(5)
    await expectAll(directory, reported)
  },
)

test.skipIf(process.platform === 'win32')(
  'K18 where the files cannot be made it does not start, and does when there is space',
  async () => {
    const directory = temporaryDirectory()
    const limited = ['sh', '-c', 'ulimit -f 120; exec "$@"', '-']
    const child = startChild('promise-loop', [directory, '1', '10'], limited)
    await child.ended
    expect(child.lines).toEqual(['refused data-not-writable'])
    const environment = await environmentIn(directory)
    const { write, store } = await openLmdbStorage(environment)
    await write(() => [writeOf('k', 1)])
    expect(store.get('k')).toEqual(recordOf(1))
  },
)
