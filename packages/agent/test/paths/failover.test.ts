import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { joinSpaceOn } from '../../src/join.js'
import type { Space, Status } from '../../src/node.js'
import type { Platform, Socket } from '../../src/platform.js'
import { memoryStore } from '../../src/store/memory-store.js'
import { fingerprint, joinForTest, until } from '../helpers.js'
import { Cluster } from './cluster.js'
import { Line } from './line.js'

/** B1 of packages/sync/SPEC.md. */
const LONGEST_BACKOFF_MS = 10_000

const roles = (space: Space) => space.status.paths.map(({ role }) => role)
const count = (space: Space, role: string) => roles(space).filter((one) => one === role).length

/** An agent at the cluster's relays in their order, and another that has them in the opposite one; both with two paths. */
async function twoAgents(cluster: Cluster, urls = cluster.urls): Promise<{ a: Space; b: Space }> {
  const a = await joinForTest('home', { relays: urls, presence: { name: 'a' } })
  const b = await joinForTest('home', { relays: [...cluster.urls].reverse(), presence: { name: 'b' } })
  for (const space of [a, b]) {
    await until('it has an active path and one that stands by', () => {
      return count(space, 'active') === 1 && count(space, 'standby') === 1 && isReady(space)
    })
  }
  await until('b sees a', () => sees(b, 'a'))
  return { a, b }
}

const isReady = (space: Space) =>
  space.status.paths.every(
    ({ role, state, confirms }) => role === 'none' || (state === 'good' && confirms === 'quorum'),
  )

const sees = (space: Space, name: string) => space.presence.agents().some(({ state }) => state.name === name)

/** Counts how often one agent vanishes before the eyes of another. */
function vanishings(of: string, at: Space): () => number {
  let vanished = 0
  at.presence.observe(() => {
    if (!sees(at, of)) vanished++
  })
  return () => vanished
}

async function converged(...spaces: Space[]): Promise<void> {
  await until('all hold the same', () => new Set(spaces.map((space) => space.digest())).size === 1)
  for (const space of spaces) expect(fingerprint(space.doc)).toEqual(fingerprint(spaces[0]!.doc))
}

describe('several relays', () => {
  test('A8 of three two are open: one is active, one stands by, and one more comes when one goes', async () => {
    const cluster = await Cluster.start()
    const { a } = await twoAgents(cluster)
    const third = a.status.paths.findIndex(({ role }) => role === 'none')
    expect(a.status.paths[third]).toMatchObject({ state: 'idle', kind: 'unknown', retryAt: undefined })
    expect(a.status.path).toBe(a.status.paths.find(({ role }) => role === 'active'))
    expect(a.status.lastSwitch).toMatchObject({ to: a.status.path?.url })
    await cluster.stop(cluster.indexOf(a.status.paths.find(({ role }) => role === 'standby')!.url))
    await until(
      'the third stands by',
      () => a.status.paths[third]!.role !== 'none' && count(a, 'standby') === 1,
    )
  })

  test('A27 the active relay is stopped: no gap in presence, no edit lost, never anything but live', async () => {
    const cluster = await Cluster.start()
    const { a, b } = await twoAgents(cluster)
    const vanished = vanishings('a', b)
    const states = new Set<string>()
    a.onStatus((status) => states.add(status.connection))
    const before = a.status.path!.url
    for (let i = 0; i < 50; i++) a.set(`k/${i}`, i)
    await cluster.stop(cluster.indexOf(before))
    for (let i = 50; i < 100; i++) a.set(`k/${i}`, i)
    await until(
      'another path is active',
      () => a.status.path?.role === 'active' && a.status.path.url !== before,
    )
    expect(a.status.lastSwitch).toMatchObject({ from: before, to: a.status.path?.url, reason: 'closed' })
    await a.durable('quorum')
    await converged(a, b)
    expect(b.entries('k/')).toHaveLength(100)
    expect(vanished()).toBe(0)
    expect([...states]).toEqual(['live'])
  })

  test('A27 a change of the path exchanges only what either lacks', async () => {
    const cluster = await Cluster.start()
    const lines = await Promise.all(cluster.urls.map((url) => Line.to(url)))
    const { a, b } = await twoAgents(
      cluster,
      lines.map(({ url }) => url),
    )
    // Not to be made small by compression: there is none.
    a.set('large', 'x'.repeat(900_000))
    await a.durable('quorum')
    await converged(a, b)
    const standby = lines.find(({ url }) =>
      a.status.paths.some((path) => path.role === 'standby' && path.url.startsWith(url)),
    )!
    const before = standby.bytesBack
    lines.find(({ url }) => a.status.path!.url.startsWith(url))!.end()
    await until('the other path is active', () => a.status.path!.url.startsWith(standby.url))
    b.set('after', 1)
    await until('what others write comes over it', () => a.get('after') === 1)
    expect(standby.bytesBack - before).toBeLessThan(50_000)
  })

  test.each([
    ['both directions', ['there', 'back']],
    ['only the direction to the relay', ['there']],
    ['only the direction from the relay', ['back']],
  ] as const)(
    'A27 %s of the active path fall silent: the other takes over, and what was sent arrives',
    async (_name, directions) => {
      const cluster = await Cluster.start()
      const lines = await Promise.all(cluster.urls.map((url) => Line.to(url)))
      const { a, b } = await twoAgents(
        cluster,
        lines.map(({ url }) => url),
      )
      const vanished = vanishings('a', b)
      const before = a.status.path!.url
      const line = lines.find(({ url }) => before.startsWith(url))!
      line.silence(...directions)
      a.set('there', 1)
      b.set('back', 2)
      await until('both have both', () => b.get('there') === 1 && a.get('back') === 2)
      await until('another path is active', () => a.status.path?.url !== before)
      // What it missed makes it worse before it makes it silent.
      expect(['silent', 'better']).toContain(a.status.lastSwitch?.reason)
      await a.durable('quorum')
      line.heal()
      await until('the first answers again', () => {
        return a.status.paths.some(
          ({ url, state }) => url === before && (state === 'good' || state === 'idle'),
        )
      })
      await until('one is active, one stands by', () => count(a, 'active') === 1 && count(a, 'standby') === 1)
      await converged(a, b)
      expect(vanished()).toBe(0)
    },
  )

  test('A27 strong requests go on over the other path', async () => {
    const cluster = await Cluster.start()
    const a = await joinForTest('home', { relays: cluster.urls, strong: ['lock/'] })
    await until(
      'two paths are there',
      () => count(a, 'active') === 1 && count(a, 'standby') === 1 && isReady(a),
    )
    await a.strong.set('lock/front', 'locked')
    const pending = a.strong.set('lock/front', 'open')
    await cluster.stop(cluster.indexOf(a.status.path!.url))
    expect((await pending).version).toBe(2)
    expect(await a.strong.get('lock/front')).toMatchObject({ value: 'open', version: 2 })
  })

  test('A6 all relays are lost: edits wait, and merge when one is back', { timeout: 60_000 }, async () => {
    const cluster = await Cluster.start()
    const { a, b } = await twoAgents(cluster)
    await Promise.all(cluster.urls.map((_url, index) => cluster.stop(index)))
    await until(
      'the loss is noticed',
      () => a.status.connection === 'connecting' && a.status.path === undefined,
    )
    a.set('alone', 1)
    expect(a.status.queued).toBe(1)
    let waiting: Status | undefined
    await until('all that is left is to wait', () => {
      if (a.status.retryAt !== undefined) waiting = a.status
      return waiting !== undefined
    })
    const attempts = waiting!.paths.flatMap(({ retryAt }) => retryAt ?? [])
    expect(waiting!.paths.map(({ role }) => role)).toEqual(['none', 'none', 'none'])
    expect(waiting!.retryAt).toBe(Math.min(...attempts))
    expect(waiting!.retryAt).toBeLessThanOrEqual(Date.now() + LONGEST_BACKOFF_MS)
    await Promise.all(cluster.urls.map((_url, index) => cluster.startOne(index)))
    await a.durable('quorum')
    await until('it has arrived', () => b.get('alone') === 1)
    await converged(a, b)
  })
})

test('A30 disconnect() and leave() say goodbye, though the relay waits for who may come back', async () => {
  const cluster = await Cluster.start()
  const frames: { readonly socket: number; readonly type: number; readonly bytes: number }[] = []
  let sockets = 0
  const platform: Platform = {
    connect(url) {
      const socket = new WebSocket(url) as unknown as Socket & { binaryType: string }
      const id = sockets++
      socket.binaryType = 'arraybuffer'
      const send = socket.send.bind(socket)
      socket.send = (frame) => {
        frames.push({ socket: id, type: frame[0]!, bytes: frame.length })
        send(frame)
      }
      return socket
    },
    openStore: async () => memoryStore(),
    storeRequired: () => false,
    tabsByDefault: false,
    watch: () => () => {},
  }
  const a = await joinSpaceOn(platform, 'home', { relays: cluster.urls, presence: { name: 'a' } })
  const b = await joinForTest('home', { relays: cluster.urls })
  const AWARENESS = 1
  const PING = 68
  const saysGoodbye = async (end: () => void) => {
    await until('b sees a', () => sees(b, 'a'))
    end()
    await until('a is offline', () => a.status.connection === 'offline')
    expect(frames.findLast(({ type }) => type !== PING)).toMatchObject({ type: AWARENESS })
    await until('b sees it go', () => !sees(b, 'a'))
  }
  await saysGoodbye(() => a.disconnect())
  a.connect()
  await saysGoodbye(() => void a.leave())
})
