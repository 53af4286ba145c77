import { once } from 'node:events'
import { decodeFrame, encodeFrame } from '@skein/protocol'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { Space } from '../../src/node.js'
import { freePort, joinForTest, relayForTest, stockServer, temporaryDirectory, until } from '../helpers.js'
import { Cluster } from './cluster.js'
import { Line } from './line.js'

async function server(onConnection: (socket: WebSocket, path: string) => void): Promise<string> {
  const listening = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(listening, 'listening')
  onTestFinished(() => {
    for (const socket of listening.clients) socket.terminate()
    listening.close()
  })
  listening.on('connection', (socket, request) => onConnection(socket, request.url!))
  return `ws://127.0.0.1:${(listening.address() as { port: number }).port}`
}

/** Whether one of two is active and the other stands by; which, follows from what is measured. */
function areUsed(space: Space, one: string, other: string): boolean {
  const roles = [one, other].map((url) => pathTo(space, url).role)
  return roles.sort().join() === 'active,standby'
}

const pathTo = (space: Space, url: string) => space.status.paths.find((path) => path.url.startsWith(url))!

test('A28 wrong addresses, a relay that refuses, and one of another epoch are told of, and the others go on', async () => {
  const cluster = await Cluster.start()
  const foreign = await relayForTest({ dataDir: temporaryDirectory() })
  const there = await joinForTest('home', { relays: [foreign.url] })
  there.set('foreign', 1)
  await there.durable('relay')
  const first = await joinForTest('home', { relays: cluster.urls })
  first.set('k', 1)
  await first.durable('quorum')
  const refusing = await server((socket) => socket.close(4403, 'not for you'))
  const nowhere = `ws://127.0.0.1:${await freePort()}`
  const a = await joinForTest('home', {
    relays: [cluster.urls[0]!, nowhere, refusing, foreign.url, cluster.urls[1]!],
  })
  await until('one is used and the other stands by', () => areUsed(a, cluster.urls[0]!, cluster.urls[1]!))
  expect(pathTo(a, nowhere)).toMatchObject({ role: 'none', kind: 'unknown' })
  expect(['waiting', 'idle', 'connecting']).toContain(pathTo(a, nowhere).state)
  expect(pathTo(a, nowhere).error).toMatchObject({ code: 'unreachable' })
  expect(pathTo(a, refusing)).toMatchObject({ state: 'refused', error: { code: 'refused' } })
  expect(pathTo(a, refusing).error?.message).toContain('not for you')
  expect(pathTo(a, foreign.url)).toMatchObject({ state: 'refused', error: { code: 'wrong-epoch' } })
  expect(a.status).toMatchObject({ connection: 'live', error: undefined })
  a.set('mine', 2)
  await a.durable('quorum')
  await until('it arrives', () => first.get('mine') === 2)
  expect(there.entries()).toEqual([['foreign', 1]])
  expect(a.get('foreign')).toBeUndefined()
})

test('A8 good relays have their turn, however many dead ones are before them', async () => {
  const cluster = await Cluster.start(2)
  const dead: string[] = []
  while (dead.length < 30) dead.push(`ws://127.0.0.1:${await freePort()}`)
  const a = await joinForTest('home', { relays: [...new Set(dead), ...cluster.urls] })
  await until('both are in use', () => areUsed(a, cluster.urls[0]!, cluster.urls[1]!))
})

test('A8 M3 relays that accept and say nothing do not keep a good one out', async () => {
  const { url } = await relayForTest()
  const mute = [await server(() => {}), await server(() => {})]
  const a = await joinForTest('home', { relays: [...mute, url] })
  await a.whenSynced
  expect(pathTo(a, url).role).toBe('active')
})

test('A28 relays that are of no cluster are kept alike by the agent itself', {
  timeout: 60_000,
}, async () => {
  const one = await relayForTest()
  const a = await joinForTest('home', { relays: [one.url] })
  a.set('k', 1)
  await a.durable('relay')
  // The other one takes over the epoch of whoever comes first.
  const other = await relayForTest()
  const both = await joinForTest('home', { relays: [one.url, other.url] })
  await until('one is used and the other stands by', () => areUsed(both, one.url, other.url))
  both.set('mine', 2)
  const b = await joinForTest('home', { relays: [other.url] })
  await until('what the first one has comes to the other', () => b.get('k') === 1 && b.get('mine') === 2)
  b.set('theirs', 3)
  await until('and back', () => both.get('theirs') === 3)
})

test('M11 of a plain server and a relay one is used at a time', { timeout: 60_000 }, async () => {
  const plain = await stockServer(await freePort())
  const { url } = await relayForTest()
  const a = await joinForTest('home', { relays: [plain.url, url] })
  await a.whenSynced
  await until('one is in use, the other not', () => {
    return (
      a.status.paths
        .map(({ role }) => role)
        .sort()
        .join() === 'active,none'
    )
  })
  a.set('k', 1)
  await until('it is handed over', () => a.status.queued === 0)
})

// Found by simulated worlds (seeds 24, 66): one relay was used alone for good.
test('M11 relays that were given up for a plain server are kept again when that is gone', {
  timeout: 60_000,
}, async () => {
  const plain = await stockServer(await freePort())
  const cluster = await Cluster.start()
  const relays = [await Line.to(cluster.urls[0]!), await Line.to(cluster.urls[1]!)]
  const a = await joinForTest('home', { relays: [plain.url, ...relays.map(({ url }) => url)] })
  await until('both were tried and given up', () => {
    const areIdle = relays.every(({ bytesBack, url }) => bytesBack > 0 && pathTo(a, url).state === 'idle')
    return areIdle && pathTo(a, plain.url).role === 'active'
  })
  await plain.stop()
  await until('one is used and the other stands by', () => {
    const roles = relays.map(({ url }) => pathTo(a, url).role)
    return roles.sort().join() === 'active,standby'
  })
})

test('A28 S23 a relay that confirms what it drops is found out and left; nothing is lost', {
  timeout: 90_000,
}, async () => {
  const cluster = await Cluster.start()
  let lies = false
  // Passes everything between the agent and a relay, until it begins to lie.
  const liar = await server((agent, path) => {
    const relay = new WebSocket(`${cluster.urls[0]}${path}`)
    const waiting: Uint8Array[] = []
    /** The numbers that the agent gave away, and those that the relay heard of instead. */
    let heard = 0
    const numbers: number[] = []
    relay.on('open', () => {
      for (const frame of waiting) relay.send(frame)
      waiting.length = 0
    })
    agent.on('message', (data: Buffer) => {
      let frame: Uint8Array = data
      const message = decodeFrame(data)
      if (message.type === 'numbered-update') {
        if (lies) {
          agent.send(encodeFrame({ type: 'ack', from: message.seq, to: message.seq, tier: 'relay' }))
          return
        }
        heard++
        numbers[heard] = message.seq
        frame = encodeFrame({ ...message, seq: heard })
      }
      if (relay.readyState === WebSocket.OPEN) relay.send(frame)
      else waiting.push(frame)
    })
    relay.on('message', (data: Buffer) => {
      const message = decodeFrame(data)
      if (message.type === 'ack') {
        agent.send(encodeFrame({ ...message, from: numbers[message.from]!, to: numbers[message.to]! }))
      } else if (message.type === 'received') {
        agent.send(encodeFrame({ ...message, to: numbers[message.to]! }))
      } else agent.send(data)
    })
    agent.on('close', () => relay.close())
    relay.on('close', () => agent.close())
    relay.on('error', () => {})
  })
  const honest = await Line.to(cluster.urls[1]!)
  honest.delayMs = 20
  const a = await joinForTest('home', { relays: [liar, honest.url] })
  const b = await joinForTest('home', { relays: [cluster.urls[2]!] })
  await until('the honest one stands by, for it is slower', () => {
    return pathTo(a, honest.url).role === 'standby' && pathTo(a, liar).role === 'active'
  })
  a.set('before', 1)
  await until('it arrives', () => b.get('before') === 1)
  lies = true
  let n = 0
  const writing = setInterval(() => a.set('n', ++n), 3_000)
  onTestFinished(() => clearInterval(writing))
  await until('it is found out', () => pathTo(a, liar).state === 'refused', 80_000)
  clearInterval(writing)
  expect(pathTo(a, liar).error).toMatchObject({ code: 'unfaithful' })
  expect(pathTo(a, honest.url).role).toBe('active')
  expect(a.status).toMatchObject({ connection: 'live', error: undefined })
  await until('nothing is lost', () => b.digest() === a.digest())
})
