import { joinSpace, type Space } from '@skein/agent'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import { type ClusterStatus, createRelay } from '../../src/index.js'
import { freePorts, TestCluster } from '../cluster-helpers.js'
import { randomFrom, runSeed, temporaryDirectory, until } from '../helpers.js'

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

  test('Y4 of another epoch nothing is merged, the operator is told, and other spaces go on', {
    timeout: 60_000,
  }, async () => {
    const cluster = await TestCluster.prepare(2, temporaryDirectory())
    // Each was alone with this space before they knew each other.
    for (const id of ['r1', 'r2']) {
      const alone = await createRelay({ dataDir: cluster.dataDir(id) })
      const space = await synced(alone.url, 'early')
      space.set(id, 1)
      await space.durable('relay')
      await space.leave()
      await alone.close()
    }
    await cluster.startMember('r1')
    await cluster.startMember('r2')
    await cluster.formed()
    const [a, b] = await Promise.all(['r1', 'r2'].map((id) => synced(cluster.urls[id]!, 'early')))
    await until('it is refused', () => ['r1', 'r2'].some((id) => cluster.hasEvent(id, 'link-refused')))
    a!.set('later', 1)
    await a!.durable('relay')
    expect(b!.entries()).toEqual([['r2', 1]])
    const [c, d] = await Promise.all(['r1', 'r2'].map((id) => synced(cluster.urls[id]!, 'new')))
    c!.set('k', 1)
    await until('another space is shared', has(d!, 'k', 1))
  })

  test('Y2 by way of a third where two cannot reach each other', { timeout: 60_000 }, async () => {
    const cluster = await TestCluster.prepare(3, temporaryDirectory())
    const nowhere = 'ws://127.0.0.1:1'
    const { r1, r2, r3 } = cluster.urls as Record<'r1' | 'r2' | 'r3', string>
    await cluster.startMember('r1', { cluster: { id: 'r1', peers: { r2: r2, r3 } } })
    await cluster.startMember('r2', { cluster: { id: 'r2', peers: { r1, r3 } } })
    await cluster.startMember('r3', { cluster: { id: 'r3', peers: { r1, r2 } } })
    await cluster.formed()
    const [a, b] = await Promise.all([synced(r1, 'cut'), synced(r2, 'cut')])
    a.set('before', 1)
    await until('they are linked', has(b, 'before', 1))
    // From here on the two know a wrong address of each other.
    await cluster.stop('r1')
    await cluster.stop('r2')
    await cluster.startMember('r1', { cluster: { id: 'r1', peers: { r2: nowhere, r3 } } })
    await cluster.startMember('r2', { cluster: { id: 'r2', peers: { r1: nowhere, r3 } } })
    const c = await synced(r3, 'cut')
    a.set('k', 1)
    await until('it comes by way of the third', () => has(c, 'k', 1)() && has(b, 'k', 1)())
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
    const names = Array.from({ length: 30 }, (_, i) => `room-${i}`)
    for (const name of names) {
      const space = await synced(cluster.urls.r1!, name)
      space.set('k', name)
      await space.durable('quorum')
      await space.leave()
    }
    await cluster.startMember('r3')
    await untilHeld(cluster, 'r3', names)
  })

  test('Y6 gets it from one that has it from another only, also where nobody is', {
    timeout: 60_000,
  }, async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    await until('all were brought all', () =>
      [...cluster.relays.values()].every((relay) => relay.cluster.upToDate.length === 2),
    )
    await cluster.stop('r3')
    const space = await synced(cluster.urls.r1!, 'under')
    space.set('k', 'under')
    await space.durable('quorum')
    await cluster.stop('r1')
    await cluster.startMember('r3')
    await until('it was brought all', () => cluster.relay('r2').cluster.upToDate.includes('r3'))
    await cluster.stop('r2')
    const answer = await fetch(`${cluster.urls.r3!.replace('ws:', 'http:')}/v1/spaces/under/state`)
    expect(await answer.json()).toEqual({ k: 'under' })
  })

  test('Y6 in the place of another, with an empty directory, gets everything', {
    timeout: 60_000,
  }, async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    const names = ['one', 'two', 'three']
    for (const name of names) {
      const space = await synced(cluster.urls.r1!, name)
      space.set('k', name)
      await space.durable('quorum')
      await space.leave()
    }
    await cluster.stop('r2')
    const [port] = await freePorts(1)
    cluster.urls.r4 = `ws://127.0.0.1:${port}`
    await cluster.startMember('r4', { cluster: { id: 'r4', join: true } })
    const answer = await fetch(`${cluster.urls.r1!.replace('ws:', 'http:')}/v1/cluster/members`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ remove: 'r2', add: { id: 'r4', url: cluster.urls.r4 } }),
    })
    expect(answer.status).toBe(200)
    await untilHeld(cluster, 'r4', names)
  })
})

describe('Y7 what is no link', () => {
  const codeOf = (url: string, options: ClientOptions = {}) =>
    new Promise<number>((resolve, reject) => {
      const socket = new WebSocket(url, options)
      socket.on('close', resolve)
      socket.on('error', reject)
    })

  test('Y7 is closed, whatever it says it is', async () => {
    const cluster = await TestCluster.start(2)
    const r1 = cluster.relay('r1').cluster
    const of = (fields: Record<string, string>, space = 'home') =>
      `${cluster.urls.r1}/v1/mesh/${space}?${new URLSearchParams({ cluster: r1.cluster!, member: 'r2', store: storeOf(r1, 'r2'), ...fields })}`
    expect(await codeOf(of({ cluster: 'other' }))).toBe(1013)
    expect(await codeOf(of({ member: 'r9' }))).toBe(1013)
    // The reason that names it has more bytes than characters.
    expect(await codeOf(of({ member: '\u20ac'.repeat(64) }))).toBe(1013)
    expect(await codeOf(of({ member: 'r1', store: storeOf(r1, 'r1') }))).toBe(1013)
    expect(await codeOf(of({ store: 'another' }))).toBe(1013)
    expect(await codeOf(`${cluster.urls.r1}/v1/mesh/home`)).toBe(1013)
    expect(await codeOf(of({}, '..%2f'))).toBe(4404)
    expect(await codeOf(of({}), { origin: 'http://127.0.0.1:1' })).toBe(4403)
  })

  test('Y7 costs itself alone, whatever it sends', async () => {
    const cluster = await TestCluster.start(2)
    const seed = runSeed('mesh')
    const random = randomFrom(seed)
    const r1 = cluster.relay('r1').cluster
    const url = `${cluster.urls.r1}/v1/mesh/home?${new URLSearchParams({ cluster: r1.cluster!, member: 'r2', store: storeOf(r1, 'r2') })}`
    const a = await synced(cluster.urls.r1!)
    for (let i = 0; i < 100; i++) {
      const socket = new WebSocket(url)
      socket.on('error', () => {})
      await new Promise((resolve) => socket.once('open', resolve))
      for (let k = 0; k < 5; k++) {
        socket.send(Uint8Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256)))
      }
      if (random() < 0.5) socket.terminate()
      else socket.close()
    }
    a.set('k', 1)
    await a.durable('relay')
    const b = await synced(cluster.urls.r2!)
    await until('they are linked in spite of it', has(b, 'k', 1))
    expect(cluster.events.r1!.filter(({ kind }) => kind === 'room-failed')).toEqual([])
  })
})

function storeOf({ members }: ClusterStatus, id: string): string {
  return members.find((member) => member.id === id)!.store
}

/** Waits until a relay was brought everything, and looks for these rooms at it when the others are gone. */
async function untilHeld(cluster: TestCluster, id: string, names: readonly string[]): Promise<void> {
  const { url } = cluster.relay(id)
  await until('it was brought all', () => cluster.relay('r1').cluster.upToDate.includes(id))
  for (const other of [...cluster.relays.keys()]) if (other !== id) await cluster.stop(other)
  for (const name of names) {
    const answer = await fetch(`${url.replace('ws:', 'http:')}/v1/spaces/${name}/state`)
    expect(await answer.json()).toEqual({ k: name })
  }
}
