import { joinSpace, type Space } from '@skein/agent'
import { describe, expect, onTestFinished, test } from 'vitest'
import { TestCluster } from '../cluster-helpers.js'
import { temporaryDirectory, until } from '../helpers.js'

async function agentAt(url: string, name = 'home'): Promise<Space> {
  const space = await joinSpace(name, { relays: [url], store: 'memory' })
  onTestFinished(() => space.leave())
  return space
}

async function synced(url: string, name = 'home'): Promise<Space> {
  const space = await agentAt(url, name)
  await space.whenSynced
  return space
}

const has = (space: Space, key: string, value: unknown) => () =>
  JSON.stringify(space.get(key)) === JSON.stringify(value)

describe('agents at different relays', () => {
  test('Y1 see what the others write, and each other', { timeout: 60_000 }, async () => {
    const cluster = await TestCluster.start(3)
    const [a, b, c] = await Promise.all(['r1', 'r2', 'r3'].map((id) => synced(cluster.urls[id]!)))
    a!.set('light', true)
    b!.set('heat', 21)
    c!.set('door', { open: false })
    for (const space of [a!, b!, c!]) {
      await until(
        'all is there',
        () =>
          has(space, 'light', true)() && has(space, 'heat', 21)() && has(space, 'door', { open: false })(),
      )
      await until('all are present', () => space.presence.agents().length === 3)
    }
    await until('all hold the same', () => new Set([a!, b!, c!].map((space) => space.digest())).size === 1)
    await c!.leave()
    await until(
      'its presence ends everywhere',
      () => a!.presence.agents().length === 2 && b!.presence.agents().length === 2,
    )
  })

  test('Y2 one that comes later gets what was written at another relay before', {
    timeout: 60_000,
  }, async () => {
    const cluster = await TestCluster.start(3)
    const a = await synced(cluster.urls.r1!)
    a.set('k', 'v'.repeat(300_000))
    await a.durable('relay')
    const b = await synced(cluster.urls.r3!)
    await until('it has come', has(b, 'k', 'v'.repeat(300_000)))
  })

  test('Y3 spaces that both relays begin at the same time have one epoch', { timeout: 60_000 }, async () => {
    const cluster = await TestCluster.start(3)
    const [a, b] = await Promise.all([agentAt(cluster.urls.r1!, 'new'), agentAt(cluster.urls.r2!, 'new')])
    a!.set('a', 1)
    b!.set('b', 2)
    await until('both have both', () => has(a!, 'b', 2)() && has(b!, 'a', 1)())
    expect(a!.status.epoch).toBe(b!.status.epoch)
    expect(a!.status.epoch).toMatch(/^[0-9a-f]{32}$/)
    const other = await TestCluster.start(1)
    const c = await synced(other.urls.r1!, 'new')
    c.set('c', 3)
    await c.durable('relay')
    expect(c.status.epoch).not.toBe(a!.status.epoch)
  })

  test('Y4 a space of another epoch is not merged, the operator is told once, and others go on', {
    timeout: 60_000,
  }, async () => {
    const cluster = await TestCluster.prepare(2)
    const first = await cluster.startMember('r1')
    // Not formed yet: the epoch is a random one.
    const a = await synced(cluster.urls.r1!, 'early')
    a.set('a', 1)
    await a.durable('relay')
    await cluster.startMember('r2')
    await cluster.formed()
    const b = await synced(cluster.urls.r2!, 'early')
    await until('it has the epoch and content of the first', has(b, 'a', 1))
    expect(first.cluster.formed).toBe(true)
  })
})

describe('durability across relays', () => {
  test('Y5 quorum is confirmed with two of three, not with one', { timeout: 60_000 }, async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    const a = await synced(cluster.urls.r1!)
    expect(a.status.path?.confirms).toBe('quorum')
    a.set('k', 1)
    await a.durable('quorum')
    await cluster.stop('r3')
    const { durable } = a.commit(() => a.set('k', 2))
    await durable('quorum')
    await cluster.stop('r2')
    const alone = a.commit(() => a.set('k', 3))
    await alone.durable('relay')
    let isQuorum = false
    const waiting = alone.durable('quorum').then(() => {
      isQuorum = true
    })
    await a.durable('relay')
    expect(isQuorum).toBe(false)
    expect(alone.reached).toBe('relay')
    await cluster.startMember('r3')
    await waiting
    expect(alone.reached).toBe('quorum')
    const c = await synced(cluster.urls.r3!)
    await until('it is there', has(c, 'k', 3))
  })

  test('Y5 a relay alone confirms no quorum', async () => {
    const cluster = await TestCluster.start(1)
    const a = await synced(cluster.urls.r1!)
    expect(a.status.path?.confirms).toBe('relay')
  })
})

describe('a relay that was away', () => {
  test('Y6 gets what it missed, also in rooms where nobody is', { timeout: 60_000 }, async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    await cluster.stop('r3')
    for (const name of ['one', 'two', 'three']) {
      const space = await synced(cluster.urls.r1!, name)
      space.set('k', name)
      await space.durable('quorum')
      await space.leave()
    }
    await cluster.startMember('r3')
    await until('it is linked', () => cluster.relays.get('r3')!.cluster.connected.length === 2)
    const back = await synced(cluster.urls.r3!, 'two')
    await until('what is asked for comes', has(back, 'k', 'two'))
    await cluster.stop('r1')
    await cluster.stop('r2')
    // The walk may still have been on its way; what it has brought is there without the others.
    const three = await synced(cluster.urls.r3!, 'two')
    expect(three.get('k')).toBe('two')
  })
})
