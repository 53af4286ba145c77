import { Server } from 'node:net'
import { decodeFrame, encodeFrame, type HelloMessage, LIMITS } from '@skein/protocol'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import * as Y from 'yjs'
import {
  createRelay,
  type Log,
  memoryLog,
  type Relay,
  type RelayEvent,
  type RelayLimits,
} from '../src/index.js'
import { TestCluster } from './cluster-helpers.js'
import { fingerprint, RawClient, relayForTest, temporaryDirectory, until } from './helpers.js'

const update = (key: string, value: unknown = 1): Uint8Array => {
  const doc = new Y.Doc()
  doc.getMap('state').set(key, value)
  return Y.encodeStateAsUpdate(doc)
}
const updateFrame = (key: string, value?: unknown) =>
  encodeFrame({ type: 'update', update: update(key, value) })
/** Keeps what the operator is told; `events` gives those of one kind. */
function recordEvents() {
  const all: RelayEvent[] = []
  return {
    onEvent: (event: RelayEvent) => void all.push(event),
    events: (kind: RelayEvent['kind']) => all.filter((event) => event.kind === kind),
  }
}

/** What the relay has said of itself, last; with an epoch where it is to have one. */
async function helloOf({ frames }: RawClient, hasEpoch: boolean): Promise<HelloMessage> {
  let hello: HelloMessage | undefined
  await until('the relay says hello', () => {
    hello = frames.map((frame) => decodeFrame(frame)).findLast((message) => message.type === 'hello')
    return hello !== undefined && (!hasEpoch || hello.epoch !== '')
  })
  return hello!
}

/** The update of the step 2 that came. */
function contentOf(frames: readonly Uint8Array[]): Uint8Array {
  const answer = frames.map((frame) => decodeFrame(frame)).find((message) => message.type === 'sync-step-2')
  return answer!.update
}

const isForward = (frame: Uint8Array) => frame[0] === 0 && frame[1] === 2

describe('connections', () => {
  test.each([
    ['an empty name', '/'],
    ['an empty segment', '/a//b'],
    ['a name that is too long', `/${'x'.repeat(129)}`],
    ['a control character', '/a%00b'],
    ['broken encoding', '/%E0%A4%A'],
    ['broken UTF-8', '/%ff'],
  ])('L1 %s is closed with 4404 and loads no room', async (_what, path) => {
    const relay = await relayForTest()
    const client = new RawClient(relay.url + path)
    expect(await client.closedWith()).toBe(4404)
    expect(client.closed?.reason).toContain('space name')
    expect(relay.roomCount).toBe(0)
  })

  test('L1 any other name is a room: unicode, spaces, slashes', async () => {
    const relay = await relayForTest()
    for (const name of ['/home', '/a/b', `/${encodeURIComponent('Küche 🏠?#')}`, '/a%20b']) {
      await new RawClient(relay.url + name).opened()
    }
    await until('four rooms', () => relay.roomCount === 4)
  })

  test('L2 a frame over the limit closes its sender with 1009; others go on', async () => {
    const { events, onEvent } = recordEvents()
    const relay = await relayForTest({ limits: { frameBytesMax: 10_000, updateBytesMax: 9_000 }, onEvent })
    const [bad, good, witness] = await Promise.all(
      [1, 2, 3].map(() => new RawClient(`${relay.url}/room`).opened()),
    )
    bad!.socket.send(new Uint8Array(10_001))
    expect(await bad!.closedWith()).toBe(1009)
    expect(events('client-closed')).toMatchObject([{ room: 'room', code: 1009 }])
    good!.socket.send(updateFrame('k'))
    await until('it is forwarded', () => witness!.frames.some(isForward))
  })

  test.each([
    ['a malformed frame', Uint8Array.of(0), 4400],
    ['a malformed update', encodeFrame({ type: 'update', update: Uint8Array.of(1, 2, 3) }), 4422],
    ['a text frame', 'hello', 4400],
  ])('L3 %s closes its sender alone, and is told to the operator', async (_what, frame, code) => {
    const { events, onEvent } = recordEvents()
    const relay = await relayForTest({ onEvent })
    const bad = await new RawClient(`${relay.url}/room`).opened()
    const [good, witness] = await Promise.all([1, 2].map(() => new RawClient(`${relay.url}/room`).opened()))
    bad.socket.send(frame)
    expect(await bad.closedWith()).toBe(code)
    good!.socket.send(updateFrame('k'))
    await until('others go on', () => witness!.frames.some(isForward))
    expect(events('client-closed')).toMatchObject([{ room: 'room', code }])
  })

  test('L3 many text frames are one event', async () => {
    const { events, onEvent } = recordEvents()
    const relay = await relayForTest({ onEvent })
    const bad = await new RawClient(`${relay.url}/room`).opened()
    for (let i = 0; i < 100; i++) bad.socket.send('hello')
    expect(await bad.closedWith()).toBe(4400)
    expect(events('client-closed')).toHaveLength(1)
  })

  test('L19 connections are told as they open and close', async () => {
    const { events, onEvent } = recordEvents()
    const relay = await relayForTest({ onEvent })
    const client = await new RawClient(`${relay.url}/room`).opened()
    await until('it is told', () => events('connection-opened').length > 0)
    client.socket.close(1000)
    await until('its end is told', () => events('connection-closed').length > 0)
    expect(events('connection-opened')).toEqual([{ kind: 'connection-opened', room: 'room' }])
    expect(events('connection-closed')).toEqual([{ kind: 'connection-closed', room: 'room', code: 1000 }])
  })

  test('L4 beyond the connection limit the answer is 1013', async () => {
    const relay = await relayForTest({ limits: { connectionsMax: 2 } })
    await Promise.all([1, 2].map(() => new RawClient(`${relay.url}/room`).opened()))
    expect(await new RawClient(`${relay.url}/room`).closedWith()).toBe(1013)
  })

  test('L4 beyond the room limit too, and known rooms still work', async () => {
    const relay = await relayForTest({ limits: { roomsMax: 1 } })
    await new RawClient(`${relay.url}/a`).opened()
    await until('the room is loaded', () => relay.roomCount === 1)
    expect(await new RawClient(`${relay.url}/b`).closedWith()).toBe(1013)
    const second = await new RawClient(`${relay.url}/a`).opened()
    await until('it is greeted', () => second.frames.length > 0)
  })

  test('L4 those who ask for different rooms at once are no more than the limit lets in', async () => {
    const cluster = await TestCluster.prepare(2)
    const relay = await cluster.startMember('r1', { limits: { roomsMax: 2 } })
    // They wait for the cluster (Y3), and go on together.
    const clients = Array.from({ length: 8 }, (_, i) => new RawClient(`${relay.url}/room/${i}`))
    await Promise.all(clients.map((client) => client.opened()))
    await cluster.startMember('r2')
    await until('six are refused', () => clients.filter(({ closed }) => closed?.code === 1013).length === 6)
    expect(relay.roomCount).toBe(2)
  })

  /** Writes 40 MB into a room of a reader and a stalled one, and waits until the reader has all. */
  async function burst(relay: Relay, rounds = 600) {
    const [writer, reader, stalled] = await Promise.all(
      [1, 2, 3].map(() => new RawClient(`${relay.url}/room`).opened()),
    )
    await until('all joined', () => [writer!, reader!, stalled!].every(({ frames }) => frames.length > 0))
    stalled!.socket.pause()
    const doc = new Y.Doc()
    doc.on('update', (bytes: Uint8Array) => {
      writer!.socket.send(encodeFrame({ type: 'update', update: bytes }))
    })
    for (let i = 0; i < rounds; i++) {
      doc.getMap('state').set(`k${i}`, 'x'.repeat(64 * 1024))
      if (i % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const seen = new Y.Doc()
    await until('the reader has all', () => {
      applyFrames(seen, reader!.frames)
      return seen.getMap('state').size === rounds
    })
    return { doc, stalled: stalled! }
  }

  function applyFrames(doc: Y.Doc, frames: Uint8Array[]): void {
    for (const frame of frames.splice(0)) {
      const message = decodeFrame(frame)
      if (message.type === 'update') Y.applyUpdate(doc, message.update)
    }
  }

  test('L5 a reader that stalls keeps nobody waiting, and gets all it missed when it reads again', async () => {
    const relay = await relayForTest()
    const { doc, stalled } = await burst(relay)
    expect(relay.connectionCount).toBe(3)
    const metrics = await (await fetch(`${relay.url.replace('ws:', 'http:')}/metrics`)).text()
    expect(metrics).toMatch(/^skein_slow_readers 1$/m)
    const late = new Y.Doc()
    stalled.socket.resume()
    await until('the stalled one has all', () => {
      applyFrames(late, stalled.frames)
      return late.getMap('state').size === 600
    })
    expect(fingerprint(late)).toEqual(fingerprint(doc))
  })

  test('L5 a reader that does not read at all is closed with 1013 in the end', async () => {
    const relay = await relayForTest({ limits: { drainWithinMs: 2_000 } })
    await burst(relay)
    await until('the stalled one is dropped', () => relay.connectionCount === 2)
  })

  test.each([
    'https://evil.example',
    'null',
    'http://127.0.0.1.evil.example',
    'http://localhost.evil.example',
  ])('L16 a page of %s is closed with 4403, unless it is allowed', async (origin) => {
    const relay = await relayForTest()
    expect(await new RawClient(`${relay.url}/room`, origin).closedWith()).toBe(4403)
    const open = await relayForTest({ origins: [origin] })
    const client = new RawClient(`${open.url}/room`, origin)
    await until('it is greeted', () => client.frames.length > 0)
  })

  test.each(['http://localhost:5173', 'http://127.0.0.1', 'https://[::1]:8443', undefined])(
    'L16 a page of this machine may connect: %s',
    async (origin) => {
      const relay = await relayForTest()
      const client = new RawClient(`${relay.url}/room`, origin)
      await until('it is greeted', () => client.frames.length > 0)
    },
  )

  test('L6 a plain HTTP request is told what this is', async () => {
    const relay = await relayForTest()
    const response = await fetch(relay.url.replace('ws:', 'http:'))
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: 'no-such-path' } })
  })
})

describe('rooms', () => {
  test('L7 a room is loaded once, however many ask at the same time', async () => {
    const memory = memoryLog()
    let loads = 0
    const log: Log = {
      ...memory,
      async *load(room) {
        loads++
        await new Promise((resolve) => setImmediate(resolve))
        yield* memory.load(room)
      },
    }
    const relay = await relayForTest({ log })
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => new RawClient(`${relay.url}/room`).opened()),
    )
    await until('all are greeted', () => clients.every(({ frames }) => frames.length > 0))
    expect(loads).toBe(1)
  })

  test('L8 an empty room is evicted, and comes back with its content', async () => {
    const relay = await relayForTest({ limits: { idleRoomMs: 1 } })
    const writer = await new RawClient(`${relay.url}/room`).opened()
    writer.socket.send(updateFrame('k'))
    writer.socket.close()
    await until('it is evicted', () => relay.roomCount === 0)
    const reader = await new RawClient(`${relay.url}/room`).opened()
    reader.socket.send(encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.of(0) }))
    await until('its content is there', () =>
      reader.frames.some((frame) => frame[1] === 1 && frame.length > 5),
    )
  })

  test('L23 the epoch of a space survives a restart; a replica of another one is closed with 4409', async () => {
    const dataDir = temporaryDirectory()
    const epochs = new Set<string>()
    for (const key of ['before', 'after']) {
      const relay = await createRelay({ dataDir })
      onTestFinished(() => relay.close())
      const writer = await new RawClient(`${relay.url}/room?skein=1`).opened()
      const hello = await helloOf(writer, key === 'after')
      writer.socket.send(encodeFrame({ ...hello, id: 'writer', epoch: hello.epoch }))
      writer.socket.send(
        encodeFrame({ type: 'numbered-update', seq: 1, answersStep1: false, update: update(key) }),
      )
      await until('it is on disk', () => writer.frames.some((frame) => decodeFrame(frame).type === 'ack'))
      epochs.add((await helloOf(writer, true)).epoch)
      await relay.close()
    }
    expect(epochs.size).toBe(1)
    const relay = await relayForTest({ dataDir })
    const stranger = await new RawClient(`${relay.url}/room?skein=1`).opened()
    const hello = await helloOf(stranger, true)
    stranger.socket.send(encodeFrame({ ...hello, id: 'stranger', epoch: 'another' }))
    stranger.socket.send(updateFrame('strange'))
    expect(await stranger.closedWith()).toBe(4409)
    const reader = await new RawClient(`${relay.url}/room`).opened()
    reader.socket.send(encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.of(0) }))
    await until('it is answered', () => reader.frames.some((frame) => frame[1] === 1))
    const doc = new Y.Doc()
    Y.applyUpdate(doc, contentOf(reader.frames))
    expect(Object.keys(doc.getMap('state').toJSON()).sort()).toEqual(['after', 'before'])
  })

  test('L9 a room that cannot be loaded is closed with 4500; other rooms work', async () => {
    const memory = memoryLog()
    const { events, onEvent } = recordEvents()
    const relay = await relayForTest({
      log: {
        ...memory,
        async *load(room) {
          if (room === 'broken') throw new Error('bad sector')
          yield* memory.load(room)
        },
      },
      onEvent,
    })
    expect(await new RawClient(`${relay.url}/broken`).closedWith()).toBe(4500)
    const fine = await new RawClient(`${relay.url}/fine`).opened()
    await until('the other room greets', () => fine.frames.length > 0)
    expect(events('room-failed')).toMatchObject([{ room: 'broken' }])
  })

  test('L10 a room that ends gives back what its unfinished messages held of the limit of all', async () => {
    const refused = { ...memoryLog(), append: () => Promise.reject(new Error('no space left')) }
    const relay = await relayForTest({ log: refused, limits: { inboundBytesMax: 100_000 } })
    const half = encodeFrame({ type: 'chunk', total: 200_000, offset: 0, part: new Uint8Array(60_000) })
    const ping = encodeFrame({ type: 'ping', sentAtUs: 1 })
    const answered = ({ frames }: RawClient) => frames.some((frame) => frame[0] === 69)
    for (let i = 0; i < 3; i++) {
      const sender = await new RawClient(`${relay.url}/room?skein=1`).opened()
      sender.socket.send(half)
      sender.socket.send(ping)
      await until('it is taken', () => answered(sender) || sender.closed !== undefined)
      expect(answered(sender)).toBe(true)
      sender.socket.send(updateFrame(`k${i}`))
      expect(await sender.closedWith()).toBe(1013)
    }
  })

  test('L10 a disk that refuses a write confirms nothing, and the room starts again from the disk', async () => {
    const memory = memoryLog()
    let full = true
    const relay = await relayForTest({
      log: {
        ...memory,
        append: async (room, updates) => {
          if (full) throw new Error('no space left')
          await memory.append(room, updates)
        },
      },
    })
    const seq1 = encodeFrame({ type: 'numbered-update', seq: 1, answersStep1: false, update: update('k') })
    const client = await new RawClient(`${relay.url}/room?skein=1`).opened()
    client.socket.send(seq1)
    expect(await client.closedWith()).toBe(1013)
    expect(client.frames.some((frame) => frame[0] === 66)).toBe(false)
    full = false
    const again = await new RawClient(`${relay.url}/room?skein=1`).opened()
    again.socket.send(seq1)
    await until('now it is confirmed', () => again.frames.some((frame) => frame[0] === 66))
  })

  test('L11 close() flushes what was taken in and tells the clients to come back', async () => {
    const dataDir = temporaryDirectory()
    const relay = await createRelay({ dataDir })
    const client = await new RawClient(`${relay.url}/room`).opened()
    const witness = await new RawClient(`${relay.url}/room`).opened()
    await until('both are greeted', () => client.frames.length > 0 && witness.frames.length > 0)
    client.socket.send(updateFrame('k'))
    await until('it was taken in', () => witness.frames.some(isForward))
    await relay.close()
    expect(await client.closedWith()).toBe(1012)
    const again = await relayForTest({ dataDir })
    expect(again.id).toBe(relay.id)
    const reader = await new RawClient(`${again.url}/room`).opened()
    reader.socket.send(encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.of(0) }))
    await until('it is there', () => reader.frames.some((frame) => frame[1] === 1 && frame.length > 5))
  })
})

describe('options', () => {
  test('L12 a port in use is a typed error, and leaves nothing behind', async () => {
    const relay = await relayForTest()
    const dataDir = temporaryDirectory()
    await expect(createRelay({ port: relay.port, dataDir })).rejects.toMatchObject({ code: 'port-in-use' })
    await relayForTest({ dataDir })
  })

  test('L12 a relay that cannot listen leaves no timer running', async () => {
    const relay = await relayForTest()
    const started = vi.spyOn(globalThis, 'setInterval')
    const stopped = vi.spyOn(globalThis, 'clearInterval')
    onTestFinished(() => void vi.restoreAllMocks())
    await expect(createRelay({ port: relay.port })).rejects.toMatchObject({ code: 'port-in-use' })
    const timers = started.mock.results.map(({ value }) => value)
    expect(timers.length).toBeGreaterThan(0)
    expect(stopped.mock.calls.map(([timer]) => timer)).toEqual(expect.arrayContaining(timers))
  })

  test('L12 an error of the server that listens is told, and it listens on', async () => {
    const { events, onEvent } = recordEvents()
    const listen = vi.spyOn(Server.prototype, 'listen')
    onTestFinished(() => void vi.restoreAllMocks())
    const relay = await relayForTest({ onEvent })
    const server = listen.mock.contexts[0] as Server
    for (let i = 0; i < 2; i++) server.emit('error', new Error('too many open files'))
    expect(events('server-failed')).toHaveLength(2)
    const client = new RawClient(`${relay.url}/room`)
    await until('it is greeted', () => client.frames.length > 0)
  })

  test.each(['0.0.0.0', '192.0.2.1', '::', 'example.org'])('L13 refuses to listen on %s', async (host) => {
    await expect(createRelay({ host })).rejects.toMatchObject({ code: 'bad-option' })
  })

  test.each([-1, 65_536, 1.5, Number.NaN])('L13 refuses port %s', async (port) => {
    await expect(createRelay({ port })).rejects.toMatchObject({ code: 'bad-option' })
  })

  test.each<[string, Partial<RelayLimits>]>([
    ['connectionsMax', { connectionsMax: 0 }],
    ['roomsMax', { roomsMax: -1 }],
    ['idleRoomMs', { idleRoomMs: Number.NaN }],
    ['drainWithinMs', { drainWithinMs: 2 ** 31 }],
    ['bufferedBytesHigh', { bufferedBytesHigh: 1.5 }],
    ['bufferedBytesHigh', { bufferedBytesHigh: 1000, bufferedBytesMax: 1000 }],
    ['frameBytesMax', { frameBytesMax: LIMITS.frameBytesMax + 1 }],
    ['updateBytesMax', { updateBytesMax: LIMITS.updateBytesMax + 1 }],
  ])('L17 refuses a limit that cannot be kept: %s of %j', async (name, limits) => {
    const refused = { code: 'bad-option', message: expect.stringContaining(`limits.${name} `) }
    await expect(createRelay({ limits })).rejects.toMatchObject(refused)
  })

  test.each(['', 'a\0', '\ud800', 'x'.repeat(129)])(
    'L17 refuses the prefix %j of strong keys',
    async (prefix) => {
      await expect(createRelay({ strong: [prefix] })).rejects.toMatchObject({ code: 'bad-option' })
    },
  )

  test('L17 takes limits that just fit', async () => {
    await relayForTest({ limits: { frameBytesMax: 10_000, updateBytesMax: 9_968 } })
    await relayForTest({ limits: { drainWithinMs: 2 ** 31 - 1, bufferedBytesHigh: 1, bufferedBytesMax: 2 } })
  })

  test.each([
    '',
    'nonsense',
    'home.example',
    'https://home.example/',
    'https://Home.example',
    'https://a:443',
  ])('L17 refuses the origin "%s", which no browser sends', async (origin) => {
    await expect(createRelay({ origins: [origin] })).rejects.toMatchObject({ code: 'bad-option' })
  })

  test.each(['null', 'https://home.example:8443', 'chrome-extension://abcdef', 'http://[::1]:1'])(
    'L17 takes the origin %s',
    async (origin) => {
      await relayForTest({ origins: [origin] })
    },
  )
})
