import { isDeepStrictEqual } from 'node:util'
import { encodeFrame } from '@skein/protocol'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import * as Y from 'yjs'
import { TestCluster } from '../../../relay/test/cluster-helpers.js'
import {
  fingerprint,
  freePort,
  joinForTest,
  relayForTest,
  stockServer,
  temporaryDirectory,
  until,
} from '../helpers.js'
import { type StockClient, stockClient } from './helpers.js'

const state = ({ doc }: { doc: Y.Doc }) => doc.getMap('state')
const synced = (...clients: StockClient[]) =>
  until('synced', () => clients.every(({ provider }) => provider.synced))
const names = ({ provider }: StockClient) =>
  [...provider.awareness.getStates().values()].map(({ name }) => name).sort()
const equal = (a: { doc: Y.Doc }, b: { doc: Y.Doc }) => () =>
  isDeepStrictEqual(fingerprint(a.doc), fingerprint(b.doc))

/** The relay of the cluster that the client's edits go to. */
function activeRelay(cluster: TestCluster, client: StockClient): string {
  const { port } = new URL(client.socket().paths.find(({ role }) => role === 'active')!.url)
  return Object.entries(cluster.urls).find(([, url]) => new URL(url).port === port)![0]
}

/** A server that accepts every connection and closes it with this code. */
async function refusingServer(code: number): Promise<{ url: string; asked: () => number }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  let asked = 0
  server.on('connection', (socket) => {
    asked++
    socket.close(code, 'not for you')
  })
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => void server.close())
  return { url: `ws://127.0.0.1:${(server.address() as { port: number }).port}`, asked: () => asked }
}

describe('the stock provider with the failover WebSocket', () => {
  test('W3 W5 syncs with an agent, both ways, with what was there and what comes', async () => {
    const { url } = await relayForTest()
    const agent = await joinForTest('home/ground floor', { relays: [url] })
    agent.set('before', 1)
    await agent.durable('relay')
    const doc = new Y.Doc()
    doc.getMap('state').set('offline', 2)
    const client = stockClient([url], 'home/ground floor', doc)
    await synced(client)
    expect(state(client).get('before')).toBe(1)
    await until('the agent has what was written before', () => agent.get('offline') === 2)
    agent.set('from the agent', 3)
    state(client).set('from the provider', 4)
    await until(
      'both have both',
      () => state(client).get('from the agent') === 3 && agent.get('from the provider') === 4,
    )
    agent.delete('before')
    await until('the deletion comes', () => !state(client).has('before'))
    expect(fingerprint(client.doc)).toEqual(fingerprint(agent.doc))
    expect(client.statuses).toEqual(['connected'])
    expect(client.socket().paths[0]).toMatchObject({ kind: 'relay', role: 'active' })
  })

  test('W6 presence comes and goes, both ways', async () => {
    const { url } = await relayForTest()
    const agent = await joinForTest('home', { relays: [url], presence: { name: 'agent' } })
    const client = stockClient([url])
    client.provider.awareness.setLocalState({ name: 'stock' })
    await until('both see both', () => agent.presence.agents().length === 2 && names(client).length === 2)
    expect(names(client)).toEqual(['agent', 'stock'])
    agent.presence.set({ name: 'renamed' })
    client.provider.awareness.setLocalStateField('name', 'typing')
    await until('changes come', () => names(client).includes('renamed'))
    await until('changes go', () => agent.presence.agents().some(({ state }) => state.name === 'typing'))
    client.provider.disconnect()
    await until('its goodbye arrives', () => agent.presence.agents().length === 1)
    client.provider.connect()
    await until('it is back at once', () => agent.presence.agents().length === 2)
    const late = stockClient([url])
    await until('who comes later sees them', () => names(late).length === 3)
    await agent.leave()
    await until('the agent is gone', () => names(late).length === 2)
  })

  test('W2 W4 goes on over another relay, and what is written meanwhile arrives', {
    timeout: 60_000,
  }, async () => {
    const cluster = await TestCluster.start(3)
    const relays = Object.values(cluster.urls)
    const client = stockClient(relays)
    client.provider.awareness.setLocalState({ name: 'stock' })
    await synced(client)
    const first = activeRelay(cluster, client)
    const elsewhere = relays.filter((url) => url !== cluster.urls[first])
    const agent = await joinForTest('home', { relays: elsewhere, presence: { name: 'agent' } })
    await agent.whenSynced
    await until('both see both', () => agent.presence.agents().length === 2 && names(client).length === 2)
    const socket = client.socket()
    let written = 0
    const writing = setInterval(() => state(client).set(`k${written}`, written++), 1)
    onTestFinished(() => clearInterval(writing))
    await until('it writes', () => written > 20)
    await cluster.stop(first)
    await until('it is connected elsewhere', () =>
      socket.paths.some(({ role, url }) => role === 'active' && !url.startsWith(cluster.urls[first]!)),
    )
    const during = written
    await until('it writes on', () => written > during + 20)
    clearInterval(writing)
    agent.set('from the agent', 1)
    await until('the agent has all', equal(client, agent))
    expect(agent.entries('k')).toHaveLength(written)
    expect(client.statuses).toEqual(['connected'])
    expect(client.provider.synced).toBe(true)
    expect(client.socket()).toBe(socket)
    await until('all is confirmed', () => socket.queued === 0 && socket.bufferedAmount === 0)
    await until(
      'both see both again',
      () => agent.presence.agents().length === 2 && names(client).length === 2,
    )
  })

  test('W8 says that it is disconnected when no relay is left, and finds them again', async () => {
    const dataDir = temporaryDirectory()
    const [port, other] = [await freePort(), await freePort()]
    const relays = [`ws://127.0.0.1:${port}`, `ws://127.0.0.1:${other}`]
    const relay = await relayForTest({ port, dataDir })
    const client = stockClient(relays)
    await synced(client)
    state(client).set('before', 1)
    await until('it is confirmed', () => client.socket().queued === 0)
    await relay.close()
    await until('it is disconnected', () => client.statuses.includes('disconnected'))
    expect(client.provider.synced).toBe(false)
    state(client).set('while down', 2)
    await relayForTest({ port, dataDir })
    await synced(client)
    const agent = await joinForTest('home', { relays: relays.slice(0, 1) })
    await until('nothing is lost', () => agent.get('before') === 1 && agent.get('while down') === 2)
    expect(fingerprint(client.doc)).toEqual(fingerprint(agent.doc))
  })

  test('W8 one that starts before its relay connects when that is there', async () => {
    const port = await freePort()
    const errors: unknown[] = []
    const client = stockClient([`ws://127.0.0.1:${port}`])
    client.provider.on('connection-error', (event) => errors.push(event))
    await until('it fails', () => errors.length > 1)
    expect(client.statuses).not.toContain('connected')
    await relayForTest({ port })
    await synced(client)
  })

  test('W8 a relay that refuses is passed over', async () => {
    const refusing = await refusingServer(4403)
    const { url } = await relayForTest()
    const client = stockClient([refusing.url, url])
    await synced(client)
    expect(refusing.asked()).toBe(1)
    expect(client.socket().paths.find(({ role }) => role === 'active')?.url).toContain(url)
  })

  test('W8 when all refuse the provider stops, with their code', async () => {
    const all = [await refusingServer(4401), await refusingServer(4403)]
    const client = stockClient(all.map(({ url }) => url))
    const closed: { code: number; reason: string }[] = []
    client.provider.on('closed', (event) => closed.push(event))
    await until('it stops', () => closed.length > 0)
    expect([4401, 4403]).toContain(closed[0]?.code)
    expect(closed[0]?.reason).toBe('not for you')
    expect(client.provider.shouldConnect).toBe(false)
    client.provider.connect()
    await until('it asks again when told to', () => closed.length === 2)
    expect(all.map(({ asked }) => asked())).toEqual([2, 2])
  })

  test('W8 a server to which a frame is too large is not given it for ever', async () => {
    const client = stockClient([(await refusingServer(1009)).url])
    const codes: number[] = []
    client.provider.on('closed', ({ code }) => codes.push(code))
    await until('it stops', () => codes.length > 0)
    expect(codes).toEqual([4413])
  })

  test('W4 what the provider hears from other tabs goes to the relay with what builds on it', async () => {
    const { url } = await relayForTest()
    const agent = await joinForTest('home', { relays: [url] })
    const client = stockClient([url])
    await synced(client)
    const tab = new Y.Doc()
    tab.getText('text').insert(0, 'from a tab')
    // As the provider does with what comes over its BroadcastChannel; it does not send it on.
    Y.applyUpdate(client.doc, Y.encodeStateAsUpdate(tab), client.provider)
    client.doc.getText('text').insert(10, ' and more')
    await until('all is there', () => agent.doc.getText('text').toString() === 'from a tab and more')
  })

  test('W5 what waited for something that another tab had is not kept from the provider', async () => {
    const { url } = await relayForTest()
    const client = stockClient([url])
    const agent = await joinForTest('home', { relays: [url] })
    await synced(client)
    const tab = new Y.Doc()
    tab.getText('text').insert(0, 'one')
    const first = Y.encodeStateAsUpdate(tab)
    const before = Y.encodeStateVector(tab)
    tab.getText('text').insert(3, ' two')
    // It reaches the relay without what it builds on.
    const raw = new WebSocket(`${url}/home`)
    onTestFinished(() => raw.terminate())
    await new Promise((resolve) => raw.once('open', resolve))
    raw.send(encodeFrame({ type: 'update', update: Y.encodeStateAsUpdate(tab, before) }))
    await until('the agent waits for it', () => agent.doc.store.pendingStructs !== null)
    agent.set('behind it', 1)
    await until('the relay has told the provider', () => state(client).get('behind it') === 1)
    Y.applyUpdate(client.doc, first, client.provider)
    client.doc.getText('text').insert(0, '> ')
    await until('the provider has it', () => client.doc.getText('text').toString() === '> one two')
    await until('the agent has all', equal(client, agent))
  })

  test('W4 large documents go both ways', { timeout: 60_000 }, async () => {
    const { url } = await relayForTest()
    const doc = new Y.Doc()
    for (let i = 0; i < 8; i++) doc.getMap('state').set(`large/${i}`, `${i}`.repeat(1024 * 1024))
    const client = stockClient([url], 'home', doc)
    await synced(client)
    await until(
      'all is confirmed',
      () => client.socket().bufferedAmount === 0 && client.socket().queued === 0,
    )
    const late = stockClient([url])
    await synced(late)
    expect(fingerprint(late.doc)).toEqual(fingerprint(doc))
  })

  test('W4 W12 what is written in bulk arrives, and counts as buffered until it is confirmed', async () => {
    const { url } = await relayForTest()
    const client = stockClient([url])
    const agent = await joinForTest('home', { relays: [url] })
    await synced(client)
    for (let i = 0; i < 5_000; i++) client.doc.getText('text').insert(i, 'x')
    expect(client.socket().queued).toBe(5_000)
    expect(client.socket().bufferedAmount).toBeGreaterThan(5_000 * 10)
    await until('all is confirmed', () => client.socket().bufferedAmount === 0)
    expect(client.socket().queued).toBe(0)
    await until('the agent has it', () => agent.doc.getText('text').length === 5_000)
  })

  test('W13 what is written right before the provider is destroyed arrives', async () => {
    const { url } = await relayForTest()
    const agent = await joinForTest('home', { relays: [url] })
    const client = stockClient([url])
    await synced(client)
    state(client).set('large', 'x'.repeat(3 * 1024 * 1024))
    state(client).set('last', 1)
    client.provider.destroy()
    await until('it is there', () => agent.get('last') === 1)
    expect(agent.get('large')).toHaveLength(3 * 1024 * 1024)
  })

  test('W14 a document of another history of the space is refused', async () => {
    const port = await freePort()
    const url = `ws://127.0.0.1:${port}`
    const relay = await relayForTest({ port })
    const client = stockClient([url])
    await synced(client)
    state(client).set('mine', 1)
    await until('it is confirmed', () => client.socket().queued === 0)
    const closed: number[] = []
    client.provider.on('closed', ({ code }) => closed.push(code))
    client.provider.disconnect()
    await relay.close()
    await relayForTest({ port })
    const agent = await joinForTest('home', { relays: [url] })
    agent.set('seeded anew', 1)
    await agent.durable('relay')
    client.provider.connect()
    await until('it is refused', () => closed.length > 0)
    expect(closed).toEqual([4409])
    expect(agent.get('mine')).toBeUndefined()
    expect(state(client).get('seeded anew')).toBeUndefined()
  })

  test('W2 works with plain servers, too', async () => {
    const server = await stockServer(await freePort())
    const client = stockClient([server.url])
    const agent = await joinForTest('home', { relays: [server.url] })
    await synced(client)
    state(client).set('k', 1)
    await until('it arrives', () => agent.get('k') === 1)
    expect(client.socket().paths[0]).toMatchObject({ kind: 'server', confirms: 'nothing' })
    await until('it was handed over', () => client.socket().bufferedAmount === 0)
  })

  test('W10 an edit that the relays do not take is told, and others go on', async () => {
    const { url } = await relayForTest({ limits: { updateBytesMax: 100_000 } })
    const agent = await joinForTest('home', { relays: [url] })
    const client = stockClient([url])
    await synced(client)
    const errors: unknown[] = []
    client.provider.on('connection-error', (event) => errors.push((event as ErrorEvent).error.code))
    const other = new Y.Doc()
    other.getMap('state').set('small', 1)
    state(client).set('too large', 'x'.repeat(200_000))
    await until('it is told', () => errors.length > 0)
    expect(errors).toEqual(['update-too-large'])
    expect(client.socket().error?.code).toBe('update-too-large')
    Y.applyUpdate(client.doc, Y.encodeStateAsUpdate(other))
    await until('another edit arrives', () => agent.get('small') === 1)
    expect(client.provider.wsconnected).toBe(true)
  })
})
