import { once } from 'node:events'
import { type AckTier, decodeFrame, encodeFrame, type Message } from '@skein/protocol'
import { memoryLog } from '@skein/relay'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import * as Y from 'yjs'
import { joinSpace } from '../src/node.js'
import {
  fingerprint,
  freePort,
  joinForTest,
  relayForTest,
  stockServer,
  temporaryDirectory,
  until,
} from './helpers.js'

describe('receipts', () => {
  test('A21 a receipt tells of its own edit how safe it is', async () => {
    const { url } = await relayForTest()
    const space = await joinForTest('home', { relays: [url], dataDir: temporaryDirectory() })
    const receipt = space.commit(() => {
      space.set('a', 1)
      space.set('b', 2)
      return 'result'
    })
    expect(receipt.result).toBe('result')
    expect(receipt.reached).toBeUndefined()
    await receipt.durable('local')
    await receipt.durable('relay')
    expect(receipt.reached).toBe('relay')
    const offline = space.commit(() => {
      space.disconnect()
      space.set('c', 3)
    })
    await offline.durable('local')
    expect(offline.reached).toBe('local')
    expect(receipt.reached).toBe('relay')
  })

  test('A21 a refused edit rejects its own receipt and later ones, not earlier ones', async () => {
    const { url } = await relayForTest({ limits: { updateBytesMax: 10_000 } })
    const space = await joinForTest('home', { relays: [url] })
    await space.whenSynced
    const [small, large, after] = ['x', 'x'.repeat(20_000), 'y'].map((value) =>
      space.commit(() => space.set('k', value)),
    )
    await small!.durable('relay')
    await expect(large!.durable('relay')).rejects.toMatchObject({ code: 'update-too-large' })
    await expect(after!.durable('relay')).rejects.toMatchObject({ code: 'update-too-large' })
    expect([small!.reached, large!.reached]).toEqual(['relay', undefined])
  })

  test('A21 a receipt cannot be had in the middle of a transaction', async () => {
    const space = await joinForTest('home')
    space.transact(() => {
      const commit = () => space.commit(() => space.set('k', 1))
      expect(commit).toThrow(expect.objectContaining({ code: 'in-transaction' }))
    })
    expect(space.get('k')).toBeUndefined()
  })

  test('A21 what an observer writes is not durable because of the edit that it observed', async () => {
    const held: (() => void)[] = []
    const append = () => new Promise<void>((resolve) => held.push(resolve))
    const { url } = await relayForTest({ log: { ...memoryLog(), append } })
    const space = await joinForTest('home', { relays: [url] })
    await space.whenSynced
    let reaction: Promise<void> | undefined
    let refused: unknown
    let durable = false
    space.observe('cause', () => {
      try {
        space.commit(() => space.set('other', 1))
      } catch (error) {
        refused = error
      }
      space.set('effect', 1)
      reaction = space.durable('relay').then(() => {
        durable = true
      })
    })
    space.set('cause', 1)
    expect(refused).toMatchObject({ code: 'in-transaction' })
    await until('the first edit is at the log', () => held.length > 0)
    // Nothing is on disk yet, whatever edit the promise was taken to be about.
    expect([space.status.queued, durable]).toEqual([2, false])
    const settling = setInterval(() => {
      for (const resolve of held) resolve()
    }, 1)
    onTestFinished(() => clearInterval(settling))
    await reaction
    expect(space.status.queued).toBe(0)
  })

  test('S18 who waits before it is connected is not kept waiting by a busy log', async () => {
    const { url } = await relayForTest({ dataDir: temporaryDirectory() })
    const busy = await joinForTest('busy', { relays: [url] })
    for (let i = 0; i < 30; i++) {
      busy.set('k', i)
      await busy.durable('relay')
    }
    const space = await joinForTest('home', { relays: [url] })
    space.set('k', 1)
    const startMs = performance.now()
    await space.durable('relay')
    expect(performance.now() - startMs).toBeLessThan(5_000)
  })

  test('A15 waiting for a receipt ends with its signal', async () => {
    const space = await joinForTest('home')
    const receipt = space.commit(() => space.set('k', 1))
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(receipt.durable('relay', { signal })).rejects.toThrow('enough')
  })

  test('A22 structs that no relay has confirmed, or that are not on disk, are named', async () => {
    const waiting: (() => void)[] = []
    const append = () => new Promise<void>((resolve) => waiting.push(resolve))
    const { url } = await relayForTest({ log: { ...memoryLog(), append } })
    const nowhere = async () => {}
    const space = await joinForTest('home', {
      relays: [url],
      store: {
        kind: 'lmdb',
        load: async () => ({ updates: [], queued: 0, epoch: '', strong: [] }),
        append,
        setQueued: nowhere,
        setEpoch: nowhere,
        setStrong: nowhere,
        close: nowhere,
      },
    })
    await space.whenSynced
    space.set('a', 1)
    space.set('b', [1, 2])
    const ranges = [{ clientId: space.doc.clientID, clock: 0, length: 2 }]
    expect(space.status.queuedRanges).toEqual(ranges)
    expect(space.status.unsavedRanges).toEqual(ranges)
    expect(space.status.queuedRanges).toBe(space.status.queuedRanges)
    await until('all is on its way', () => waiting.length >= 3)
    const settling = setInterval(() => {
      for (const resolve of waiting.splice(0)) resolve()
    }, 1)
    onTestFinished(() => clearInterval(settling))
    await until('all is safe', () => space.status.queued === 0 && space.status.unsaved === 0)
    expect(space.status.queuedRanges).toEqual([])
    expect(space.status.unsavedRanges).toEqual([])
  })

  test('A23 what is confirmed over a path is told', async () => {
    const { url } = await relayForTest()
    const relayed = await joinForTest('home', { relays: [url] })
    await until('it is live', () => relayed.status.connection === 'live')
    expect(relayed.status.path?.confirms).toBe('relay')
    const stock = await stockServer(await freePort())
    const plain = await joinForTest('home', { relays: [stock.url] })
    await until('it is live', () => plain.status.connection === 'live')
    expect(plain.status.path?.confirms).toBe('nothing')
    const receipt = plain.commit(() => plain.set('k', 1))
    await until('it is handed over', () => plain.status.queued === 0)
    expect(receipt.reached).toBeUndefined()
  })

  test('A23 quorum is reached by an acknowledgement of that tier, and only by it', async () => {
    const relay = await scriptedRelay(['quorum'])
    const space = await joinForTest('home', { relays: [relay.url] })
    await space.whenSynced
    expect(space.status.path?.confirms).toBe('quorum')
    const receipt = space.commit(() => space.set('k', 1))
    await until('it is sent', () => relay.lastSeq() >= 2)
    relay.acknowledge('relay')
    await receipt.durable('relay')
    expect(receipt.reached).toBe('relay')
    relay.acknowledge('quorum')
    await receipt.durable('quorum')
    await space.durable('quorum')
    expect(receipt.reached).toBe('quorum')
  })
})

describe('epochs', () => {
  test('A24 the epoch is kept with the replica, and a space seeded anew is not merged', async () => {
    const port = await freePort()
    const first = await relayForTest({ port })
    const dataDir = temporaryDirectory()
    const agent = await joinSpace('home', { relays: [first.url], dataDir })
    agent.set('k', 'old')
    await agent.durable('relay')
    await until('it knows the epoch', () => agent.status.epoch !== '')
    const { epoch } = agent.status
    await agent.leave()
    await first.close()

    const second = await relayForTest({ port })
    const seeder = await joinForTest('home', { relays: [second.url] })
    seeder.set('k', 'new')
    await seeder.durable('relay')
    const back = await joinForTest('home', { relays: [second.url], dataDir })
    expect(back.status.epoch).toBe(epoch)
    await until('it is refused', () => back.status.connection === 'refused')
    expect(back.status.error).toMatchObject({ code: 'wrong-epoch', message: /nothing was merged/ })
    expect(back.get('k')).toBe('old')
    seeder.set('later', 1)
    await seeder.durable('relay')
    expect(fingerprint(seeder.doc)).not.toEqual(fingerprint(back.doc))
    expect(seeder.get('k')).toBe('new')
  })

  test('A24 a relay that lost everything takes over the epoch of the first replica that comes back', async () => {
    const port = await freePort()
    const first = await relayForTest({ port })
    const [a, b] = await Promise.all([1, 2].map(() => joinForTest('home', { relays: [first.url] })))
    a!.set('k', 1)
    await until('both know it', () => a!.status.epoch !== '' && b!.get('k') === 1 && b!.status.epoch !== '')
    await first.close()
    await relayForTest({ port })
    a!.set('k', 2)
    await until('they meet again', () => b!.get('k') === 2)
    expect(b!.status.epoch).toBe(a!.status.epoch)
    expect(b!.status.error).toBeUndefined()
  })
})

describe('what is large, and what is lost', () => {
  test('A25 an edit larger than a frame reaches others and is confirmed', { timeout: 60_000 }, async () => {
    const { url } = await relayForTest()
    const [a, b] = await Promise.all([1, 2].map(() => joinForTest('home', { relays: [url] })))
    await a!.whenSynced
    const receipt = a!.commit(() => a!.doc.getText('t').insert(0, 'x'.repeat(66 << 20)))
    a!.set('after', 1)
    await receipt.durable('relay')
    await until('the other has it', () => b!.doc.getText('t').length === 66 << 20, 50_000)
    await until('and what came after', () => b!.get('after') === 1)
    expect(a!.status.connection).toBe('live')
    const late = await joinForTest('home', { relays: [url] })
    await until('so has who joins later', () => late.doc.getText('t').length === 66 << 20, 50_000)
  })

  test('A26 an update that got lost is asked for', async () => {
    const relay = await scriptedRelay([])
    const space = await joinForTest('home', { relays: [relay.url] })
    await space.whenSynced
    const author = new Y.Doc()
    const updates: Uint8Array[] = []
    author.on('update', (update: Uint8Array) => updates.push(update))
    author.getMap('state').set('a', 1)
    author.getMap('state').set('b', 2)
    relay.content(author)
    relay.send({ type: 'update', update: updates[1]! })
    await until('nothing is missing', () => space.get('a') === 1 && space.get('b') === 2)
  })
})

/** A relay that does just what the test says, for one agent. */
async function scriptedRelay(features: string[]) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  await once(server, 'listening')
  let seq = 0
  let content = new Y.Doc()
  let socket: WebSocket | undefined
  const send = (message: Message) => socket?.send(encodeFrame(message))
  server.on('connection', (accepted) => {
    socket = accepted
    const limits = { frameBytesMax: 1 << 20, updateBytesMax: 1 << 20 }
    send({ type: 'hello', versionMin: 1, versionMax: 1, id: 'r', ...limits, features, epoch: '' })
    send({ type: 'sync-step-1', stateVector: Uint8Array.of(0) })
    accepted.on('message', (data: Buffer) => {
      const message = decodeFrame(new Uint8Array(data))
      if (message.type === 'numbered-update') seq = message.seq
      if (message.type === 'ping') send({ type: 'pong', pingSentAtUs: message.sentAtUs })
      if (message.type === 'sync-step-1') {
        send({ type: 'sync-step-2', update: Y.encodeStateAsUpdate(content, message.stateVector) })
      }
    })
  })
  return {
    url: `ws://127.0.0.1:${(server.address() as { port: number }).port}`,
    lastSeq: () => seq,
    send,
    acknowledge: (tier: AckTier) => send({ type: 'ack', from: 1, to: seq, tier }),
    content: (doc: Y.Doc) => {
      content = doc
    },
  }
}
