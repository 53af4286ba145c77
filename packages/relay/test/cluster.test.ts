import { rmSync } from 'node:fs'
import type { Entry, Outcome } from '@skein/paxos'
import { describe, expect, test } from 'vitest'
import { createRelay, RelayError } from '../src/index.js'
import { freePorts, read, TestCluster, write, writeOf } from './cluster-helpers.js'
import { relayForTest, temporaryDirectory, until } from './helpers.js'

const KEY = 'home/lock/front'

describe('a cluster of three', () => {
  test('K1 forms, and decides what any member is asked for', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    expect(await write(cluster.relay('r1'), KEY, 'locked')).toMatchObject({ kind: 'done', version: 1 })
    expect(await write(cluster.relay('r2'), KEY, 'open')).toMatchObject({ kind: 'done', version: 2 })
    expect(await read(cluster.relay('r3'), KEY)).toBe('open')
    const { epoch, members } = cluster.relay('r3').cluster
    expect({ epoch, ids: members.map(({ id }) => id) }).toEqual({ epoch: 1, ids: ['r1', 'r2', 'r3'] })
  })

  test('K1 does so in memory, too', async () => {
    const cluster = await TestCluster.start(3)
    await write(cluster.relay('r1'), KEY, 'locked')
    expect(await read(cluster.relay('r2'), KEY)).toBe('locked')
  })

  test('K1 does not form before all have been heard from, nor of members that list others', async () => {
    const cluster = await TestCluster.prepare(3, temporaryDirectory())
    await cluster.startMember('r1')
    await cluster.startMember('r2')
    await until('the two are linked', () => cluster.hasEvent('r1', 'member-connected'))
    expect(cluster.relay('r1').cluster).toMatchObject({ formed: false, missing: ['r3'] })
    const peers = { r1: cluster.urls.r1!, r2: cluster.urls.r2!, r9: cluster.urls.r2! }
    await cluster.startMember('r3', { cluster: { id: 'r3', peers } })
    await until('it is refused', () => cluster.hasEvent('r1', 'member-refused'))
    expect(cluster.relay('r1').cluster.formed).toBe(false)
    await cluster.stop('r3')
    await cluster.startMember('r3')
    await cluster.formed()
  })

  test('K1 forms of members that were stopped on the way', async () => {
    const cluster = await TestCluster.prepare(3, temporaryDirectory())
    await cluster.startMember('r1')
    await cluster.startMember('r2')
    await cluster.stop('r1')
    await cluster.startMember('r3')
    await cluster.startMember('r1')
    await cluster.formed()
    expect(await write(cluster.relay('r1'), KEY, 'locked')).toMatchObject({ kind: 'done' })
  })

  test('K3 works on without one of its members, and that one catches up', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    await write(cluster.relay('r1'), KEY, 'one')
    await cluster.stop('r1')
    expect(await write(cluster.relay('r2'), KEY, 'two')).toMatchObject({ kind: 'done', version: 2 })
    await cluster.startMember('r1')
    expect(await read(cluster.relay('r1'), KEY)).toBe('two')
  })

  test('K3 one of three says unavailable at the deadline, and never that something was done', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    await write(cluster.relay('r1'), 'home/other', 'one')
    await Promise.all([cluster.stop('r2'), cluster.stop('r3')])
    const outcome = await write(cluster.relay('r1'), KEY, 'two', 300)
    expect(outcome).toEqual({ kind: 'unavailable', reason: 'no-quorum' })
    const cached = await write(cluster.relay('r1'), 'home/other', 'two', 300)
    expect(['unavailable', 'unknown']).toContain(cached.kind)
  })

  test('K3 an operation waits for the cluster to form, until its deadline or its signal', async () => {
    const cluster = await TestCluster.prepare(3, temporaryDirectory())
    const relay = await cluster.startMember('r1')
    expect(await write(relay, KEY, 'late', 50)).toEqual({ kind: 'unavailable', reason: 'no-quorum' })
    const abort = new AbortController()
    const given = relay.strong.execute(KEY, writeOf('given up'), { withinMs: 60_000, signal: abort.signal })
    abort.abort()
    expect(await given).toEqual({ kind: 'unavailable', reason: 'no-quorum' })
    const waiting = write(relay, KEY, 'in time', 60_000)
    await cluster.startMember('r2')
    await cluster.startMember('r3')
    expect(await waiting).toMatchObject({ kind: 'done', version: 1 })
  })

  test('K3 a signal ends an operation that is under way', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    await Promise.all([cluster.stop('r2'), cluster.stop('r3')])
    const abort = new AbortController()
    const { strong } = cluster.relay('r1')
    const outcome = strong.execute(KEY, writeOf('given up'), { withinMs: 60_000, signal: abort.signal })
    abort.abort()
    expect(await outcome).toEqual({ kind: 'unavailable', reason: 'no-quorum' })
  })

  test('K6 a restart of all keeps what was decided, and nobody uses an incarnation twice', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    await write(cluster.relay('r1'), KEY, 'kept')
    const before = cluster.relay('r1').strong.clientId
    await Promise.all(['r1', 'r2', 'r3'].map((id) => cluster.stop(id)))
    for (const id of ['r1', 'r2', 'r3']) await cluster.startMember(id)
    expect(await read(cluster.relay('r3'), KEY)).toBe('kept')
    expect(await write(cluster.relay('r1'), KEY, 'new')).toMatchObject({ kind: 'done', version: 2 })
    expect(cluster.relay('r1').strong.clientId).not.toBe(before)
  })

  test('K7 a member whose directory was wiped does not come back under its old name', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    await write(cluster.relay('r1'), KEY, 'kept')
    await cluster.stop('r3')
    rmSync(cluster.dataDir('r3'), { recursive: true })
    await cluster.startMember('r3')
    await until(
      'both refuse it',
      () => cluster.hasEvent('r1', 'foreign-store') && cluster.hasEvent('r2', 'foreign-store'),
    )
    const event = cluster.events.r1!.find(({ kind }) => kind === 'foreign-store')
    expect(event).toMatchObject({ member: 'r3', reason: expect.stringContaining('replace') })
    expect(cluster.relay('r3').cluster.formed).toBe(false)
    expect(cluster.relay('r1').cluster.connected).toEqual(['r2'])
    expect(await write(cluster.relay('r1'), KEY, 'on')).toMatchObject({ kind: 'done' })
  })

  test('K7 two wiped members cannot found a cluster again without those that were', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    await Promise.all(['r2', 'r3'].map((id) => cluster.stop(id)))
    for (const id of ['r2', 'r3']) {
      rmSync(cluster.dataDir(id), { recursive: true })
      await cluster.startMember(id)
    }
    await until('both are refused', () => {
      const refused = cluster.events.r1!.filter(({ kind }) => kind === 'foreign-store')
      return new Set(refused.map((event) => 'member' in event && event.member)).size === 2
    })
    expect(cluster.relay('r2').cluster.formed).toBe(false)
    expect((await write(cluster.relay('r2'), KEY, 'never', 100)).kind).toBe('unavailable')
  })

  test('K8 a data directory of another member, or of a cluster of others, is a typed error', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    await cluster.stop('r1')
    const dataDir = cluster.dataDir('r1')
    const { r2, r3 } = cluster.urls as Record<'r2' | 'r3', string>
    const wrong = [
      { id: 'r9', peers: { r2, r3 } },
      { id: 'r1', peers: { r2, r9: r3 } },
    ]
    for (const options of wrong) {
      const error = await createRelay({ dataDir, cluster: options }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(RelayError)
      expect(error).toMatchObject({ code: 'cluster-mismatch', message: expect.stringContaining('r1') })
    }
    await cluster.startMember('r1')
    expect(await write(cluster.relay('r1'), KEY, 'on')).toMatchObject({ kind: 'done' })
  })

  test('K8 a member of another cluster is refused', async () => {
    const one = await TestCluster.start(3, temporaryDirectory())
    const [port] = await freePorts(1)
    const other = await TestCluster.start(3, temporaryDirectory())
    await other.stop('r2')
    const peers = { r1: one.urls.r1!, r3: other.urls.r3! }
    await other.startMember('r2', { port: port!, cluster: { id: 'r2', peers } })
    await until(
      'it is refused',
      () => one.hasEvent('r1', 'foreign-store') || one.hasEvent('r1', 'member-refused'),
    )
    expect(await write(one.relay('r1'), KEY, 'on')).toMatchObject({ kind: 'done' })
  })

  test('K12 watchers are told what is decided, whoever asked for it, with rising versions', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    await write(cluster.relay('r1'), KEY, '0')
    const first: Entry[] = []
    const second: Entry[] = []
    const end = cluster.relay('r2').strong.watch(KEY, (entry) => first.push(entry))
    await until('it is told what is decided', () => first.at(-1)?.value === '0')
    for (const data of ['1', '2', '3']) await write(cluster.relay('r1'), KEY, data)
    await until('it is told', () => first.at(-1)?.value === '3')
    cluster.relay('r2').strong.watch(KEY, (entry) => second.push(entry))
    await until('the second is told', () => second.at(-1)?.value === '3')
    end()
    await write(cluster.relay('r3'), KEY, '4')
    await until('the second is still told', () => second.at(-1)?.value === '4')
    expect(first.at(-1)?.value).toBe('3')
    const versions = first.map(({ version }) => version)
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
  })

  test('K3 many keys at once through all members', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    const outcomes: Promise<Outcome>[] = []
    for (let i = 0; i < 300; i++)
      outcomes.push(write(cluster.relay(`r${(i % 3) + 1}`), `home/k${i % 20}`, String(i)))
    expect((await Promise.all(outcomes)).map(({ kind }) => kind)).toEqual(Array(300).fill('done'))
  })
})

describe('a relay alone', () => {
  test('K2 is a cluster of one, and keeps what it decided', async () => {
    const dataDir = temporaryDirectory()
    const relay = await createRelay({ dataDir })
    expect(await write(relay, KEY, 'locked')).toMatchObject({ kind: 'done' })
    expect(relay.cluster).toMatchObject({ memberId: 'r1', formed: true, epoch: 1 })
    await relay.close()
    const again = await relayForTest({ dataDir })
    expect(await read(again, KEY)).toBe('locked')
  })

  test('K8 it may be named, and list others, as long as nobody asked it to decide anything', async () => {
    const directory = temporaryDirectory()
    const cluster = await TestCluster.prepare(3, directory)
    for (const id of ['r2', 'r3']) {
      const alone = await createRelay({ dataDir: cluster.dataDir(id) })
      await until('it is a cluster of one', () => alone.cluster.formed)
      await alone.close()
    }
    for (const id of ['r1', 'r2', 'r3']) await cluster.startMember(id)
    await cluster.formed()
    expect(await write(cluster.relay('r2'), KEY, 'locked')).toMatchObject({ kind: 'done', version: 1 })
    await cluster.stop('r2')
    const again = await relayForTest({ dataDir: cluster.dataDir('r2') })
    expect(again.cluster).toMatchObject({ memberId: 'r2', epoch: 1 })
  })

  test('K8 not after it decided something', async () => {
    const dataDir = temporaryDirectory()
    const relay = await createRelay({ dataDir })
    await write(relay, KEY, 'locked')
    await relay.close()
    const peers = { r2: 'ws://127.0.0.1:1', r3: 'ws://127.0.0.1:2' }
    const error = await createRelay({ dataDir, cluster: { id: 'r1', peers } }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'cluster-mismatch' })
  })

  test('K2 works without a data directory', async () => {
    const relay = await relayForTest()
    expect(await write(relay, KEY, 'locked')).toMatchObject({ kind: 'done' })
    expect(await read(relay, KEY)).toBe('locked')
  })

  test('K3 closing it ends what waits, and nothing is answered after', async () => {
    const cluster = await TestCluster.prepare(3, temporaryDirectory())
    const relay = await cluster.startMember('r1')
    const waiting = write(relay, KEY, 'locked', 60_000)
    await cluster.stop('r1')
    expect(await waiting).toEqual({ kind: 'unavailable', reason: 'no-quorum' })
    expect(await write(relay, KEY, 'locked')).toEqual({ kind: 'unavailable', reason: 'no-quorum' })
  })

  test('K4 what cannot be stored exactly is refused before it is proposed', async () => {
    const { strong } = await relayForTest()
    const within = { withinMs: 1_000 }
    await expect(strong.execute('', { kind: 'read' }, within)).rejects.toThrow(RangeError)
    await expect(strong.execute('k'.repeat(1025), { kind: 'read' }, within)).rejects.toThrow(RangeError)
    await expect(strong.execute('\0members', { kind: 'read' }, within)).rejects.toThrow(RangeError)
    await expect(strong.execute('k', writeOf('\ud800'), within)).rejects.toThrow(RangeError)
    await expect(strong.execute('k', writeOf('x'.repeat(1024 * 1024 + 1)), within)).rejects.toThrow(
      RangeError,
    )
  })
})
