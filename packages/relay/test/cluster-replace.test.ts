import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { encodeHelloFrame } from '../src/cluster/frame.js'
import type { Relay } from '../src/index.js'
import { freePorts, read, TestCluster, write } from './cluster-helpers.js'
import { relayForTest, temporaryDirectory, until } from './helpers.js'

const PATH = '/v1/cluster/members'

async function post(relay: Relay, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${relay.url.replace('ws:', 'http:')}${PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

async function joiner(id: string): Promise<Relay> {
  return relayForTest({ dataDir: temporaryDirectory(), cluster: { id, join: true } })
}

const idsOf = (relay: Relay) => relay.cluster.members.map(({ id }) => id)

describe('replacing a member', () => {
  test('K11 the new one takes its place, with all that was decided, though the old one is gone', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    for (let i = 0; i < 40; i++) await write(cluster.relay('r1'), `home/k${i}`, `v${i}`)
    await cluster.stop('r2')
    const r4 = await joiner('r4')
    const replaced = await post(cluster.relay('r1'), { remove: 'r2', add: { id: 'r4', url: r4.url } })
    expect(replaced).toMatchObject({ status: 200, body: { epoch: 3, memberId: 'r1' } })
    expect(idsOf(cluster.relay('r1')).sort()).toEqual(['r1', 'r3', 'r4'])
    await until('r3 and r4 know', () => [cluster.relay('r3'), r4].every((relay) => relay.cluster.epoch === 3))
    await until('r3 and r4 are linked', () => r4.cluster.connected.length === 2)
    // Without one of the old ones the new one is needed for every majority.
    await cluster.stop('r1')
    for (let i = 0; i < 40; i++) expect(await read(cluster.relay('r3'), `home/k${i}`)).toBe(`v${i}`)
    expect(await write(r4, 'home/k0', 'new')).toMatchObject({ kind: 'done', version: 2 })
  })

  test('K11 it may be repeated, at any member', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    const r4 = await joiner('r4')
    const body = { remove: 'r2', add: { id: 'r4', url: r4.url } }
    expect((await post(cluster.relay('r1'), body)).status).toBe(200)
    expect((await post(cluster.relay('r1'), body)).body).toMatchObject({ epoch: 3 })
    await until('r3 knows', () => cluster.relay('r3').cluster.epoch === 3)
    expect((await post(cluster.relay('r3'), body)).body).toMatchObject({ epoch: 3 })
  })

  test('K11 interrupted half way, it goes on at another member when it is asked for again', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    await write(cluster.relay('r1'), 'home/k', 'kept')
    await cluster.stop('r3')
    // One that says hello and nothing more: no majority of the new members can be had.
    const silent = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => silent.close())
    await once(silent, 'listening')
    const hello = {
      id: 'r4',
      store: 's4',
      listed: [],
      founding: undefined,
      cluster: undefined,
      addresses: {},
    }
    silent.on('connection', (socket) => socket.send(encodeHelloFrame(hello)))
    const url = `ws://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const body = { remove: 'r2', add: { id: 'r4', url } }
    const interrupted = post(cluster.relay('r1'), body)
    await until('it is half way', () => cluster.relay('r2').cluster.next !== undefined)
    await cluster.stop('r1')
    expect(await interrupted).toMatchObject({
      status: 504,
      body: { error: { code: 'unfinished', applied: 'maybe' } },
    })
    await cluster.startMember('r1')
    await cluster.startMember('r3')
    await until('r3 knows', () => cluster.relay('r3').cluster.next !== undefined)
    const other = { remove: 'r1', add: { id: 'r4', url } }
    expect(await post(cluster.relay('r3'), other)).toMatchObject({ status: 409 })
    expect(await post(cluster.relay('r3'), body)).toMatchObject({ status: 200, body: { epoch: 3 } })
    expect(await read(cluster.relay('r1'), 'home/k')).toBe('kept')
  })

  test('K11 a cluster of one grows to three, and the first configuration is kept over restarts', async () => {
    const dataDir = temporaryDirectory()
    const [port] = await freePorts(1)
    const r1 = await relayForTest({ dataDir, port: port!, cluster: { id: 'r1' } })
    await write(r1, 'home/k', 'old')
    const others = [await joiner('r2'), await joiner('r3')]
    for (const relay of others) {
      const { status } = await post(r1, { add: { id: relay.cluster.memberId, url: relay.url } })
      expect(status).toBe(200)
    }
    await until('all know', () => others.every((relay) => relay.cluster.members.length === 3))
    await r1.close()
    await until('the others are linked', () => others[0]!.cluster.connected.includes('r3'))
    expect(await read(others[1]!, 'home/k')).toBe('old')
    const again = await relayForTest({ dataDir, port: port!, cluster: { id: 'r1' } })
    expect(idsOf(again).length).toBe(3)
    expect(await write(again, 'home/k', 'new')).toMatchObject({ kind: 'done' })
  })

  test('K11 what does not fit the cluster is refused, and changes nothing', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    const r1 = cluster.relay('r1')
    expect(await post(r1, { remove: 'r9' })).toMatchObject({
      status: 400,
      body: { error: { code: 'bad-change' } },
    })
    expect(await post(r1, {})).toMatchObject({ status: 400, body: { error: { code: 'bad-value' } } })
    expect(await post(r1, { remove: 'r2', add: { id: 'r4', url: 'http://x' } })).toMatchObject({
      status: 400,
    })
    expect(await post(r1, { remove: 'r2' }, { origin: 'http://localhost:1' })).toMatchObject({ status: 403 })
    for (const id of ['r2', 'r3']) {
      const body = { remove: 'r2', add: { id, url: 'ws://127.0.0.1:1' } }
      expect(await post(r1, body)).toMatchObject({ status: 400, body: { error: { code: 'bad-change' } } })
    }
    expect(r1.cluster).toMatchObject({ epoch: 1, next: undefined })
  })

  test('K13 the cluster can be looked at over HTTP', async () => {
    const cluster = await TestCluster.start(3, temporaryDirectory())
    await until('all are linked', () => cluster.relay('r1').cluster.connected.length === 2)
    const base = cluster.relay('r1').url.replace('ws:', 'http:')
    const shown = (await (await fetch(`${base}/v1/cluster`)).json()) as { connected: string[] }
    expect(shown).toMatchObject({ memberId: 'r1', formed: true, epoch: 1, addresses: cluster.urls })
    expect(shown.connected.sort()).toEqual(['r2', 'r3'])
    const ready = await (await fetch(`${base}/readyz`)).json()
    expect(ready).toMatchObject({ status: 'ready', cluster: { formed: true, members: ['r1', 'r2', 'r3'] } })
    expect(await (await fetch(`${base}/metrics`)).text()).toContain('skein_strong_peers_connected 2')
  })
})
