import { Registry } from 'prom-client'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Cluster, openClusterStorage } from '../src/cluster/cluster.js'
import { memoryStorage } from '../src/cluster/memory-storage.js'
import { beginIncarnation } from '../src/cluster/open-cluster.js'
import type { ClusterStorage } from '../src/cluster/storage.js'
import { openDataDirectory } from '../src/data/data-directory.js'
import type { RelayEvent } from '../src/index.js'
import { openEnvironment } from '../src/log/lmdb-environment.js'
import { writeOf } from './cluster-helpers.js'
import { temporaryDirectory } from './helpers.js'

/** A cluster of one over a storage. */
async function clusterOn(storage: ClusterStorage) {
  const events: RelayEvent[] = []
  const registry = new Registry()
  const meta = await beginIncarnation(storage, {})
  const cluster = new Cluster({
    store: 's1',
    storage,
    meta,
    options: {},
    registry,
    onEvent: (event) => events.push(event),
    connected() {},
    disconnected() {},
    isUpToDate: () => false,
    changed() {},
  })
  onTestFinished(() => cluster.close())
  cluster.start()
  const execute = (key: string, data = 'v') =>
    cluster.region.execute(key, writeOf(data), { withinMs: 10_000 })
  return { cluster, registry, events, execute }
}

/** In memory, where no flush takes so long that something is tried again. */
function counted() {
  const memory = memoryStorage()
  const flushes: number[] = []
  const write: ClusterStorage['write'] = (take) =>
    memory.write(() => {
      const group = take()
      flushes.push(group.length)
      return group
    })
  return { storage: { ...memory, write }, flushes }
}

async function lmdb(path: string) {
  const data = await openDataDirectory(path)
  const environment = await openEnvironment(data)
  const close = async () => {
    await environment.close()
    await data.release()
  }
  onTestFinished(close)
  return { ...environment, close }
}

async function countOf(registry: Registry, name: string): Promise<number> {
  const line = new RegExp(`^${name} (\\d+)$`, 'm').exec(await registry.metrics())
  return Number(line?.[1] ?? 0)
}

describe('a member', () => {
  test('K4 what comes in one turn shares a flush, whatever its keys', async () => {
    const { storage, flushes } = counted()
    const { execute, registry } = await clusterOn(storage)
    await execute('home/first')
    const before = flushes.length
    const outcomes = await Promise.all(Array.from({ length: 200 }, (_, i) => execute(`home/k${i}`)))
    expect(outcomes.every(({ kind }) => kind === 'done')).toBe(true)
    // One flush for all promises, one for all acceptances.
    expect(flushes.slice(before)).toEqual([200, 200])
    expect(await countOf(registry, 'skein_strong_flush_seconds_count')).toBe(flushes.length)
  })

  test('K4 a write behind another of the same member needs one flush', async () => {
    const { storage, flushes } = counted()
    const { execute } = await clusterOn(storage)
    await execute('home/k')
    const before = flushes.length
    for (let i = 0; i < 10; i++) await execute('home/k', String(i))
    expect(flushes.slice(before)).toEqual(Array(10).fill(1))
  })

  test('K5 a flush that fails stops it for good: nothing is answered, and the operator is told once', async () => {
    let isBroken = false
    const memory = memoryStorage()
    const { cluster, events, execute } = await clusterOn({
      ...memory,
      write: async (take) => {
        if (!isBroken) return memory.write(take)
        take()
        throw new Error('the disk is broken')
      },
    })
    expect(await execute('home/k')).toMatchObject({ kind: 'done' })
    isBroken = true
    const outcomes = await Promise.all([execute('home/k', 'lost'), execute('home/new')])
    expect(outcomes.map(({ kind }) => kind)).toEqual(['unknown', 'unavailable'])
    isBroken = false
    expect(await execute('home/k')).toEqual({ kind: 'unavailable', reason: 'no-quorum' })
    expect(events.filter(({ kind }) => kind === 'strong-failed').length).toBe(1)
    expect(cluster.status.failed).toBe(true)
  })

  test('K5 a damaged record stops it rather than be taken for none', async () => {
    const path = temporaryDirectory()
    const before = await lmdb(path)
    const first = await clusterOn((await openClusterStorage(before, {})).storage)
    await first.execute('home/k')
    first.cluster.close()
    await before.close()
    const environment = await lmdb(path)
    const { storage } = await openClusterStorage(environment, {})
    const { events, execute } = await clusterOn(storage)
    await environment.acceptor.put(Buffer.from('home/k'), Buffer.from('damaged'))
    const outcome = await execute('home/k', 'new')
    expect(outcome.kind).toBe('unknown')
    expect(events.map(({ kind }) => kind)).toEqual(['strong-failed'])
  })

  test('K6 each start raises the incarnation on disk before it is used', async () => {
    const path = temporaryDirectory()
    const start = async () => {
      const environment = await lmdb(path)
      const { storage, meta } = await openClusterStorage(environment, {})
      await environment.close()
      return { before: storage.meta?.incarnation, now: meta.incarnation }
    }
    const { before, now } = await start()
    expect(before).toBeUndefined()
    for (const expected of [now, now + 1]) {
      expect(await start()).toEqual({ before: expected, now: expected + 1 })
    }
  })
})
