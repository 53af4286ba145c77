import { type AcceptorRecord, type AcceptorWrite, compareKeys } from '@skein/paxos'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openLmdbStorage } from '../src/cluster/lmdb-storage.js'
import { memoryStorage } from '../src/cluster/memory-storage.js'
import { Persistence } from '../src/cluster/persistence.js'
import type { ClusterMeta, ClusterStorage } from '../src/cluster/storage.js'
import { openDataDirectory } from '../src/data/data-directory.js'
import { RelayError } from '../src/errors.js'
import { type Environment, openEnvironment } from '../src/log/lmdb-environment.js'
import { temporaryDirectory, until } from './helpers.js'

const META: ClusterMeta = {
  id: 'r1',
  incarnation: 1,
  listed: ['r1'],
  founding: [{ id: 'r1', store: 's1' }],
  cluster: 'c',
  addresses: {},
}
const CONFIGURATION = { epoch: 1, members: [{ id: 'r1', store: 's1' }] }

function recordOf(version: number): AcceptorRecord {
  const ballot = { counter: version, proposer: 'r1', incarnation: 1 }
  return {
    promised: ballot,
    accepted: ballot,
    register: { version, fence: version, data: `v${version}`, clients: [], forgotten: 0 },
  }
}

function writeOf(number: number, key: string): AcceptorWrite {
  return { number, kind: 'record', key, record: recordOf(number) }
}

async function environmentIn(path: string): Promise<Environment> {
  const data = await openDataDirectory(path)
  const environment = await openEnvironment(data)
  onTestFinished(async () => {
    await environment.close()
    await data.release()
  })
  return {
    ...environment,
    async close() {
      await environment.close()
      await data.release()
    },
  }
}

const STORAGES: [string, () => Promise<ClusterStorage>][] = [
  ['memory', async () => memoryStorage()],
  ['lmdb', async () => openLmdbStorage(await environmentIn(temporaryDirectory()))],
]

describe.each(STORAGES)('storage of an acceptor: %s', (_name, open) => {
  test('K4 what was written is there when the write resolves, the last of a key', async () => {
    const storage = await open()
    expect(storage.store.get('k')).toBeUndefined()
    await storage.write(() => [writeOf(1, 'k'), writeOf(2, 'k'), writeOf(3, 'other')])
    expect(storage.store.get('k')).toEqual(recordOf(2))
    expect(storage.store.get('other')).toEqual(recordOf(3))
    await storage.write(() => [writeOf(4, 'k')])
    expect(storage.store.get('k')).toEqual(recordOf(4))
  })

  test('K4 keys are listed by code point, whatever they consist of', async () => {
    const storage = await open()
    const keys = [
      '\0members',
      'a',
      'a\0',
      'ab',
      'b',
      '\u007f',
      'é',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '\u{10000}',
      '\u{10ffff}',
    ]
    await storage.write(() => [...keys].reverse().map((key, i) => writeOf(i + 1, key)))
    const sorted = [...keys].sort(compareKeys)
    expect(storage.store.keys('', 100)).toEqual(sorted)
    for (const [i, key] of sorted.entries()) {
      expect(storage.store.keys(key, 3)).toEqual(sorted.slice(i + 1, i + 4))
    }
  })
})

describe('storage in LMDB', () => {
  test('K6 who the member is, and its configuration, are there after a restart', async () => {
    const path = temporaryDirectory()
    const first = await environmentIn(path)
    const storage = await openLmdbStorage(first)
    expect(storage.meta).toBeUndefined()
    await storage.save(META, CONFIGURATION)
    const configuration = { epoch: 2, members: CONFIGURATION.members, next: [{ id: 'r2', store: 's2' }] }
    await storage.write(() => [writeOf(1, 'k'), { number: 2, kind: 'configuration', configuration }])
    await first.close()
    const again = await openLmdbStorage(await environmentIn(path))
    expect(again.meta).toEqual(META)
    expect(again.configuration).toEqual(configuration)
    expect(again.store.get('k')).toEqual(recordOf(1))
  })

  test('K5 a record that is not what was written is never taken for one', async () => {
    const path = temporaryDirectory()
    const first = await environmentIn(path)
    await (await openLmdbStorage(first)).write(() => [writeOf(1, 'k')])
    await first.close()
    const environment = await environmentIn(path)
    const storage = await openLmdbStorage(environment)
    const bytes = Buffer.from(environment.acceptor.get(Buffer.from('k'))!)
    for (const at of [0, 5, bytes.length - 1]) {
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= 1
      await environment.acceptor.put(Buffer.from('k'), damaged)
      expect(() => storage.store.get('k')).toThrow(RelayError)
    }
    await environment.acceptor.put(Buffer.from('moved'), bytes)
    expect(() => storage.store.get('moved')).toThrow(/not what was written/)
  })
})

describe('group commit', () => {
  /** A storage whose flushes end when the test says so. */
  class HeldStorage {
    readonly flushes: AcceptorWrite[][] = []
    private endFlush: { resolve: () => void; reject: (error: unknown) => void } | undefined
    readonly storage: ClusterStorage = {
      ...memoryStorage(),
      write: (take) => {
        this.flushes.push([...take()])
        return new Promise((resolve, reject) => {
          this.endFlush = { resolve, reject }
        })
      },
    }

    end(): void {
      this.endFlush!.resolve()
    }

    fail(): void {
      this.endFlush!.reject(new Error('the disk is broken'))
    }
  }

  test('K4 one flush at a time; what comes meanwhile shares the next', async () => {
    const held = new HeldStorage()
    const persisted: number[] = []
    const persistence = new Persistence(
      held.storage,
      (number) => persisted.push(number),
      () => {},
    )
    persistence.add([writeOf(1, 'a')])
    for (let i = 2; i <= 50; i++) persistence.add([writeOf(i, `k${i}`)])
    expect(held.flushes.map((group) => group.length)).toEqual([1])
    expect(persisted).toEqual([])
    held.end()
    await until('the next flush', () => held.flushes.length === 2)
    expect(held.flushes[1]!.length).toBe(49)
    expect(persisted).toEqual([1])
    held.end()
    await until('it is there', () => persisted.length === 2)
    expect(persisted).toEqual([1, 50])
  })

  test('K5 after a flush that failed nothing is written, and nothing said to be there', async () => {
    const held = new HeldStorage()
    const persisted: number[] = []
    const errors: unknown[] = []
    const persistence = new Persistence(
      held.storage,
      (number) => persisted.push(number),
      (error) => errors.push(error),
    )
    persistence.add([writeOf(1, 'a')])
    persistence.add([writeOf(2, 'b')])
    held.fail()
    await until('it is told', () => errors.length === 1)
    persistence.add([writeOf(3, 'c')])
    await new Promise((resolve) => setImmediate(resolve))
    expect(held.flushes.length).toBe(1)
    expect(persisted).toEqual([])
  })
})
