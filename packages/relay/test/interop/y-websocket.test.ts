import { createServer } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { Awareness } from 'y-protocols/awareness'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { createRelay } from '../../src/index.js'
import { fingerprint, randomFrom, runSeed, temporaryDirectory, until } from '../helpers.js'

// The clients are y-websocket 3.1.0 as published.

function stockClient(url: string, room: string, doc = new Y.Doc()) {
  const provider = new WebsocketProvider(url, room, doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
    awareness: new Awareness(doc),
  })
  onTestFinished(() => {
    provider.awareness.destroy()
    provider.destroy()
  })
  return { doc, provider }
}

const synced = (clients: { provider: WebsocketProvider }[]) =>
  until('all clients synced', () => clients.every(({ provider }) => provider.synced))

describe('stock y-websocket clients', () => {
  test('I2 converge under random edits of text, array and map, with reconnects in between', async () => {
    const random = randomFrom(runSeed('packages/relay/test/interop/y-websocket.test.ts'))
    const relay = await createRelay()
    onTestFinished(() => relay.close())
    const clients = Array.from({ length: 5 }, () => stockClient(relay.url, 'stock room'))
    await synced(clients)
    for (let step = 0; step < 400; step++) {
      const { doc, provider } = clients[Math.floor(random() * clients.length)]!
      const text = doc.getText('text')
      const list = doc.getArray('list')
      const dice = random()
      if (dice < 0.35) text.insert(Math.floor(random() * (text.length + 1)), `${step} `)
      else if (dice < 0.45 && text.length > 3) text.delete(Math.floor(random() * (text.length - 2)), 2)
      else if (dice < 0.6) list.insert(Math.floor(random() * (list.length + 1)), [{ step }])
      else if (dice < 0.7 && list.length > 0) list.delete(Math.floor(random() * list.length), 1)
      else if (dice < 0.9) doc.getMap('state').set(`k${Math.floor(random() * 5)}`, step)
      else if (dice < 0.95) provider.disconnect()
      else provider.connect()
      if (step % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    for (const { provider } of clients) provider.connect()
    await until('all equal', () => {
      const [first, ...rest] = clients.map(({ doc }) => fingerprint(doc))
      return rest.every((other) => isDeepStrictEqual(other, first))
    })
    const late = stockClient(relay.url, 'stock room')
    await synced([late])
    expect(fingerprint(late.doc)).toEqual(fingerprint(clients[0]!.doc))
  })

  test('I2 see who is present, and who has gone', async () => {
    const relay = await createRelay()
    onTestFinished(() => relay.close())
    const [a, b] = [stockClient(relay.url, 'room'), stockClient(relay.url, 'room')]
    a.provider.awareness.setLocalState({ name: 'a' })
    b.provider.awareness.setLocalState({ name: 'b' })
    await until('both present', () =>
      [a, b].every(({ provider }) => provider.awareness.getStates().size === 2),
    )
    const late = stockClient(relay.url, 'room')
    await until('a late client sees both', () => late.provider.awareness.getStates().size === 3)
    expect(late.provider.awareness.getStates().get(a.doc.clientID)).toEqual({ name: 'a' })
    // Not a goodbye but a broken connection: the relay has to tell.
    ;(a.provider.ws as unknown as WebSocket).terminate()
    a.provider.shouldConnect = false
    await until('a is gone', () => !b.provider.awareness.getStates().has(a.doc.clientID))
  })

  test('I2 find a restarted relay again, and their content on it', async () => {
    const dataDir = temporaryDirectory()
    const port = await freePort()
    const first = await createRelay({ port, dataDir })
    const client = stockClient(first.url, 'room')
    await synced([client])
    client.doc.getText('text').insert(0, 'before ')
    const witness = stockClient(first.url, 'room')
    await until('it arrived', () => witness.doc.getText('text').toString() === 'before ')
    await first.close()
    await until('the loss is noticed', () => !client.provider.wsconnected)
    client.doc.getText('text').insert(7, 'during')
    const second = await createRelay({ port, dataDir })
    onTestFinished(() => second.close())
    const late = stockClient(second.url, 'room')
    await until('content and edit are there', () => late.doc.getText('text').toString() === 'before during')
  })

  test('I2 stop for good at a final close code', async () => {
    const relay = await createRelay()
    onTestFinished(() => relay.close())
    const { provider } = stockClient(relay.url, 'a//b')
    const closed = await new Promise<{ code: number; reason: string }>((resolve) =>
      provider.on('closed', resolve),
    )
    expect(closed).toMatchObject({ code: 4404 })
    expect(provider.shouldConnect).toBe(false)
  })

  test('I2 idle clients stay connected beyond their own 30 s limit', { timeout: 60_000 }, async () => {
    const relay = await createRelay()
    onTestFinished(() => relay.close())
    const client = stockClient(relay.url, 'quiet')
    await synced([client])
    // Without presence of its own it hears only what the relay says by itself.
    client.provider.awareness.setLocalState(null)
    let losses = 0
    client.provider.on('connection-close', () => losses++)
    const start = Date.now()
    const messages = client.provider.wsLastMessageReceived
    await until('36 s have passed', () => Date.now() - start > 36_000, 50_000)
    expect(losses).toBe(0)
    expect(client.provider.wsconnected).toBe(true)
    expect(client.provider.wsLastMessageReceived).toBeGreaterThan(messages + 20_000)
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
