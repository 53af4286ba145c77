import { decodeFrame, encodeFrame as encode, type Message, writeAwarenessEntries } from '@skein/protocol'
import { documentDigest } from '@skein/sync'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Awareness, applyAwarenessUpdate } from 'y-protocols/awareness'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { type FailoverWebSocket, failoverWebSocketOver } from '../../src/websocket/failover.js'
import { until } from '../helpers.js'
import { type ScriptedSocket, ScriptedSockets } from './helpers.js'

const A = 'ws://a.example'
const B = 'ws://b.example'
const encodeFrame = (message: Message) => encode(message) as Uint8Array<ArrayBuffer>

/** A socket as an application without a provider would use it, and what it hears. */
function bareSocket(relays: readonly string[] = [A]) {
  const sockets = new ScriptedSockets()
  const socket = new (failoverWebSocketOver(sockets, relays))(`${relays[0]}/home`)
  socket.binaryType = 'arraybuffer'
  onTestFinished(() => socket.close())
  const heard: unknown[] = []
  const messages: (Message | { type: 'unknown' })[] = []
  socket.onopen = () => heard.push('open')
  socket.onerror = () => heard.push('error')
  socket.onclose = ({ code, reason, wasClean }) => heard.push({ code, reason, wasClean })
  socket.onmessage = ({ data }) => messages.push(decodeFrame(new Uint8Array(data)))
  return { sockets, socket, heard, messages }
}

/** The stock provider over scripted sockets. */
function provided(relays: readonly string[] = [A], doc = new Y.Doc(), params = {}, protocols: string[] = []) {
  const sockets = new ScriptedSockets()
  const provider = new WebsocketProvider(relays[0]!, 'home', doc, {
    WebSocketPolyfill: failoverWebSocketOver(sockets, relays),
    disableBc: true,
    awareness: new Awareness(doc),
    params,
    protocols,
  })
  onTestFinished(() => {
    provider.awareness.destroy()
    provider.destroy()
  })
  return { sockets, provider, doc }
}

/** What was sent to the other end, of one type. */
function sent<T extends Message['type']>(socket: ScriptedSocket, type: T): Extract<Message, { type: T }>[] {
  return socket.sent
    .map(decodeFrame)
    .filter((message): message is Extract<Message, { type: T }> => message.type === type)
}

/** The other end is a plain server with this document: it opens, asks, and answers. */
function serve(socket: ScriptedSocket, doc = new Y.Doc()): void {
  socket.onopen?.()
  socket.receive(encodeFrame({ type: 'sync-step-1', stateVector: Y.encodeStateVector(doc) }))
  socket.receive(encodeFrame({ type: 'sync-step-2', update: Y.encodeStateAsUpdate(doc) }))
}

/** A document with a value that is nested so deep. */
function nested(depth: number): Y.Doc {
  const doc = new Y.Doc()
  let value: unknown = 0
  for (let i = 0; i < depth; i++) value = [value]
  doc.getMap('state').set('k', value)
  return doc
}

function present(...told: [client: number, clock: number, state: unknown][]): Uint8Array {
  const entries = told.map(([client, clock, state]) => ({
    client,
    clock,
    state: new TextEncoder().encode(JSON.stringify(state)),
  }))
  return encodeFrame({ type: 'awareness', update: writeAwarenessEntries(entries) })
}

describe('toward the relays', () => {
  test('W1 parameters and subprotocols of the provider go to each', async () => {
    const { sockets } = provided([A, `${B}/base?zone=1`], new Y.Doc(), { token: 'a b' }, ['proto'])
    const a = await sockets.to(A)
    a.end()
    const b = await sockets.to(B, A)
    expect(a.url).toBe(`${A}/home?token=a+b&skein=1`)
    expect(b.url).toBe(`${B}/base/home?zone=1&token=a+b&skein=1`)
    expect([a.protocols, b.protocols]).toEqual([['proto'], ['proto']])
  })

  test('W4 a relay is asked only for what the provider lacks', () => {
    const doc = new Y.Doc()
    doc.getMap('state').set('offline', 1)
    const { sockets } = provided([A], doc)
    sockets.last.onopen?.()
    const [question] = sent(sockets.last, 'sync-step-1')
    expect(Y.decodeStateVector(question!.stateVector)).toEqual(new Map([[doc.clientID, 1]]))
  })

  test('W4 each relay is asked with the digest of what is there by then', async () => {
    const { sockets, doc } = provided([A, B])
    serve(await sockets.to(A))
    const digestAt = (relay: ScriptedSocket) => sent(relay, 'sync-step-1')[0]!.digest
    expect(digestAt(sockets.last)).toBe(documentDigest(new Y.Doc()))
    doc.getMap('state').set('edit', 1)
    doc.getMap('state').delete('edit')
    const b = await sockets.to(B, A)
    b.onopen?.()
    expect(digestAt(b)).toBe(documentDigest(doc))
  })

  test('W4 deleted content that the application keeps is kept', () => {
    const doc = new Y.Doc({ gc: false })
    doc.getText('text').insert(0, 'history')
    doc.getText('text').delete(0, 7)
    const { sockets } = provided([A], doc)
    serve(sockets.last)
    const copy = new Y.Doc({ gc: false })
    Y.applyUpdate(copy, sent(sockets.last, 'sync-step-2')[0]!.update)
    expect(Y.encodeStateAsUpdate(copy)).toEqual(Y.encodeStateAsUpdate(doc))
  })

  test('W4 what the provider heard elsewhere is asked for when the connection is live again', async () => {
    const { sockets, provider, doc } = provided([A, B])
    serve(await sockets.to(A))
    const tab = new Y.Doc()
    tab.getMap('state').set('from a tab', 1)
    // As the provider does with what comes over its BroadcastChannel; it does not send it on.
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(tab), provider)
    const b = await sockets.to(B, A)
    serve(b)
    const copy = new Y.Doc()
    for (const type of ['sync-step-2', 'update'] as const) {
      for (const { update } of sent(b, type)) Y.applyUpdate(copy, update)
    }
    expect(copy.getMap('state').get('from a tab')).toBe(1)
  })

  test('W6 what the provider tells when it is connected reaches the relay', () => {
    const { sockets, provider, doc } = provided()
    provider.awareness.setLocalState({ name: 'a' })
    sockets.last.onopen?.()
    const told = new Awareness(new Y.Doc())
    onTestFinished(() => told.destroy())
    for (const { update } of sent(sockets.last, 'awareness')) applyAwarenessUpdate(told, update, 'test')
    expect(told.getStates().get(doc.clientID)).toEqual({ name: 'a' })
  })

  test('W12 a slow connection is not flooded; what waits for it is buffered, and arrives', async () => {
    const { sockets, provider, doc } = provided()
    const { last: relay } = sockets
    serve(relay)
    relay.bufferedAmount = 64 * 1024 * 1024
    for (let i = 0; i < 100; i++) doc.getText('text').insert(i, 'x')
    const before = sent(relay, 'update').length
    expect(before).toBeLessThan(3)
    const socket = provider.ws as FailoverWebSocket
    expect(socket.queued).toBeGreaterThan(90)
    expect(socket.bufferedAmount).toBeGreaterThan(90 * 10)
    relay.bufferedAmount = 0
    await until('it follows', () => socket.bufferedAmount === 0)
    expect(sent(relay, 'update')).toHaveLength(before + 1)
    const copy = new Y.Doc()
    for (const { update } of sent(relay, 'update')) Y.applyUpdate(copy, update)
    expect(copy.getText('text').length).toBe(100)
  })
})

describe('toward the provider', () => {
  test('W3 it is synced when a relay has told all it has, and not before', () => {
    const remote = new Y.Doc()
    remote.getMap('state').set('k', 1)
    const { sockets, provider, doc } = provided()
    const { last: relay } = sockets
    relay.onopen?.()
    expect(provider.wsconnected).toBe(true)
    relay.receive(encodeFrame({ type: 'sync-step-1', stateVector: Y.encodeStateVector(remote) }))
    expect(provider.synced).toBe(false)
    relay.receive(encodeFrame({ type: 'sync-step-2', update: Y.encodeStateAsUpdate(remote) }))
    expect(provider.synced).toBe(true)
    expect(doc.getMap('state').get('k')).toBe(1)
  })

  test('W3 a later step 1 is answered at once', () => {
    const { sockets, socket, messages } = bareSocket()
    const stateVector = Y.encodeStateVector(new Y.Doc())
    serve(sockets.last)
    socket.send(encodeFrame({ type: 'sync-step-1', stateVector }))
    sockets.last.end()
    socket.send(encodeFrame({ type: 'sync-step-1', stateVector }))
    expect(messages.filter(({ type }) => type === 'sync-step-2')).toHaveLength(2)
  })

  test('W5 nothing is repeated to it', () => {
    const remote = new Y.Doc()
    remote.getMap('state').set('k', 1)
    const update = Y.encodeStateAsUpdate(remote)
    const { sockets, socket, messages } = bareSocket()
    serve(sockets.last)
    socket.send(encodeFrame({ type: 'sync-step-1', stateVector: Y.encodeStateVector(new Y.Doc()) }))
    for (let i = 0; i < 3; i++) sockets.last.receive(encodeFrame({ type: 'update', update }))
    expect(messages.filter(({ type }) => type === 'update')).toHaveLength(1)
  })

  test('W6 it is told who is present when it asks', () => {
    const { sockets, socket, messages } = bareSocket()
    serve(sockets.last)
    sockets.last.receive(present([7, 3, { name: 'b' }]))
    socket.send(encodeFrame({ type: 'query-awareness' }))
    const told = messages.filter(({ type }) => type === 'awareness')
    expect(told).toHaveLength(2)
    expect(told[1]).toEqual(told[0])
  })

  test('W7 over the next connection its presence is renewed, and who is not named has gone', async () => {
    const { sockets, provider, doc } = provided([A, B])
    provider.awareness.setLocalState({ name: 'a' })
    const a = await sockets.to(A)
    serve(a)
    a.receive(present([7, 3, { name: 'b' }], [8, 4, { name: 'c' }]))
    const clock = () => provider.awareness.meta.get(doc.clientID)!.clock
    const before = clock()
    a.end()
    const b = await sockets.to(B, A)
    expect(provider.awareness.getStates().size).toBe(3)
    b.onopen?.()
    b.receive(present([8, 4, { name: 'c' }]))
    serve(b)
    expect(clock()).toBeGreaterThan(before)
    expect([...provider.awareness.getStates().values()]).toEqual([{ name: 'a' }, { name: 'c' }])
    expect(sent(b, 'awareness').length).toBeGreaterThan(0)
  })

  test('W7 a provider that has reconnected is seen at once, too', async () => {
    const { sockets, provider, doc } = provided()
    provider.awareness.setLocalState({ name: 'a' })
    serve(sockets.last)
    const { clock } = provider.awareness.meta.get(doc.clientID)!
    sockets.last.end()
    serve(await sockets.to(A))
    expect(provider.awareness.meta.get(doc.clientID)?.clock).toBeGreaterThan(clock)
  })

  test('W8 a denial is handed on', () => {
    const { sockets, socket, messages } = bareSocket()
    sockets.last.onopen?.()
    sockets.last.receive(encodeFrame({ type: 'auth-denied', reason: 'no' }))
    expect(messages).toContainEqual({ type: 'auth-denied', reason: 'no' })
    expect(socket.error?.code).toBe('refused')
  })

  test('W15 it hears something every 10 s', () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { sockets, messages } = bareSocket()
    sockets.last.onopen?.()
    const before = messages.length
    vi.advanceTimersByTime(10_000)
    expect(messages).toHaveLength(before + 1)
    expect(messages.at(-1)).toEqual({ type: 'awareness', update: Uint8Array.of(0) })
  })
})

describe('states', () => {
  test('W2 W8 it opens with the first relay, stays open for the next, and closes when none is left', async () => {
    const { sockets, socket, heard } = bareSocket([A, B])
    expect(socket.readyState).toBe(socket.CONNECTING)
    const a = await sockets.to(A)
    a.end()
    const b = await sockets.to(B, A)
    expect(heard).toEqual([])
    serve(b)
    expect(heard).toEqual(['open'])
    expect(socket.readyState).toBe(socket.OPEN)
    b.end()
    serve(await sockets.to(A, B))
    expect(heard).toEqual(['open'])
    expect(socket.readyState).toBe(socket.OPEN)
    await until('it closes', () => {
      for (const other of sockets.alive) other.end()
      return socket.readyState === socket.CLOSED
    })
    expect(heard).toEqual([
      'open',
      'error',
      { code: 1006, reason: 'no relay can be reached', wasClean: false },
    ])
    expect(sockets.watchers.size).toBe(0)
  })

  test('W8 W11 a policy of the page that forbids all connections ends it for good', async () => {
    const forbidden = () => {
      throw new Error('insecure')
    }
    const socket = new (failoverWebSocketOver({ connect: forbidden, watch: () => () => {} }, [A, B]))(
      `${A}/home`,
    )
    const codes: number[] = []
    socket.onclose = ({ code }) => codes.push(code)
    expect(codes).toEqual([])
    await until('it closes', () => codes.length > 0)
    expect(codes).toEqual([4403])
  })

  test('W11 constants, listeners and binary types', async () => {
    const { sockets, socket, heard } = bareSocket()
    const { constructor: statics } = socket as unknown as { constructor: Record<string, number> }
    for (const [name, value] of Object.entries({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 })) {
      expect(statics[name]).toBe(value)
      expect(socket[name as 'OPEN']).toBe(value)
    }
    const got: unknown[] = []
    const listener = ({ data }: MessageEvent) => got.push(data)
    socket.addEventListener('message', listener)
    sockets.last.protocol = 'proto'
    sockets.last.onopen?.()
    expect(socket.protocol).toBe('proto')
    expect(socket.extensions).toBe('')
    expect(socket.url).toBe(`${A}/home`)
    sockets.last.receive(present([7, 1, {}]))
    expect(got.at(-1)).toBeInstanceOf(ArrayBuffer)
    socket.onmessage = null
    socket.binaryType = 'blob'
    sockets.last.receive(present([7, 2, {}]))
    expect(got.at(-1)).toBeInstanceOf(Blob)
    socket.removeEventListener('message', listener)
    const { length } = got
    sockets.last.receive(present([7, 3, {}]))
    expect(got).toHaveLength(length)
    expect(heard).toEqual(['open'])
  })

  test('W11 send takes bytes only, when open, and drops them afterwards', () => {
    const { sockets, socket } = bareSocket()
    const doc = new Y.Doc()
    doc.getMap('state').set('k', 1)
    const frame = encodeFrame({ type: 'update', update: Y.encodeStateAsUpdate(doc) })
    expect(() => socket.send(frame)).toThrow(expect.objectContaining({ name: 'InvalidStateError' }))
    sockets.last.onopen?.()
    for (const wrong of ['text', new Blob([])]) {
      expect(() => socket.send(wrong)).toThrow(expect.objectContaining({ code: 'bad-frame' }))
    }
    const padded = Uint8Array.of(9, ...frame, 9)
    socket.send(padded.subarray(1, -1))
    socket.send(new DataView(padded.buffer, 1, frame.length))
    socket.send(frame.slice().buffer)
    expect(socket.queued).toBe(1)
    socket.close()
    expect(() => socket.send(frame.slice())).not.toThrow()
    expect(() => socket.send('text')).toThrow(expect.objectContaining({ code: 'bad-frame' }))
  })

  test('W11 close takes the codes and reasons of applications only', () => {
    const { socket } = bareSocket()
    for (const code of [0, 999, 1001, 1006, 2999, 5000]) {
      expect(() => socket.close(code)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }))
    }
    expect(() => socket.close(3000, 'é'.repeat(62))).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
    expect(socket.readyState).toBe(socket.CONNECTING)
  })

  test('W11 closing before it is open is a failure', async () => {
    const { sockets, socket, heard } = bareSocket()
    socket.close(3000, 'never mind')
    expect(heard).toEqual([])
    await until('it is told', () => heard.length === 2)
    expect(heard).toEqual(['error', { code: 1006, reason: '', wasClean: false }])
    expect(sockets.last.isClosed).toBe(true)
  })

  test('W13 a close without anything queued is told at once', async () => {
    const cases: [args: [code?: number, reason?: string], code: number][] = [
      [[], 1005],
      [[1000], 1000],
      [[3001, 'bye'], 3001],
    ]
    for (const [args, code] of cases) {
      const { sockets, socket, heard } = bareSocket()
      serve(sockets.last)
      socket.close(...args)
      expect(socket.readyState).toBe(socket.CLOSING)
      expect(sockets.last.isClosed).toBe(true)
      expect(heard).toEqual(['open'])
      await until('it is told', () => socket.readyState === socket.CLOSED)
      expect(heard).toEqual(['open', { code, reason: args[1] ?? '', wasClean: true }])
      socket.close()
    }
  })

  test('W13 a close waits for what is queued, and not longer than 2 s', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const doc = new Y.Doc()
    doc.getMap('state').set('k', 1)
    const frame = encodeFrame({ type: 'update', update: Y.encodeStateAsUpdate(doc) })
    const waiting = bareSocket()
    waiting.sockets.last.onopen?.()
    waiting.socket.send(frame.slice())
    waiting.socket.close()
    expect(waiting.sockets.last.isClosed).toBe(false)
    // The answer to its step 1 hands the edit over.
    waiting.sockets.last.receive(
      encodeFrame({ type: 'sync-step-1', stateVector: Y.encodeStateVector(new Y.Doc()) }),
    )
    expect(waiting.sockets.last.isClosed).toBe(true)

    const unheard = bareSocket()
    unheard.sockets.last.onopen?.()
    unheard.socket.send(frame.slice())
    unheard.socket.close()
    vi.advanceTimersByTime(1_999)
    expect(unheard.sockets.last.isClosed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(unheard.sockets.last.isClosed).toBe(true)
    await vi.waitFor(() => expect(unheard.socket.readyState).toBe(unheard.socket.CLOSED))
  })
})

describe('frames that cannot be used', () => {
  const update = (bytes: number[]) => encodeFrame({ type: 'update', update: Uint8Array.from(bytes) })
  const MALFORMED: [what: string, frame: Uint8Array<ArrayBuffer>, code: number][] = [
    ['nothing', Uint8Array.of(), 4400],
    ['an unknown sync message', Uint8Array.of(0, 9), 4400],
    ['a message that ends early', Uint8Array.of(0, 2, 200), 4400],
    ['presence that does not decode', Uint8Array.of(1, 3, 1, 2, 3), 4400],
    ['a state vector that does not decode', Uint8Array.of(0, 0, 2, 5, 1), 4400],
    ['an update that is none', update([1, 1, 255, 255]), 4422],
    ['an update that no relay takes', update([...Y.encodeStateAsUpdate(nested(200))]), 4422],
    ['a step 2 that is none', encodeFrame({ type: 'sync-step-2', update: Uint8Array.of(7) }), 4422],
  ]

  for (const [what, frame, code] of MALFORMED) {
    test(`W9 ${what} closes the socket, and nothing else is hurt`, async () => {
      const other = bareSocket()
      serve(other.sockets.last)
      const { sockets, socket, heard } = bareSocket()
      serve(sockets.last)
      const before = sockets.last.sent.length
      socket.send(frame.slice())
      expect(heard).toEqual(['open'])
      await until('it closes', () => socket.readyState === socket.CLOSED)
      expect(heard).toMatchObject(['open', { code }])
      expect(sockets.last.sent).toHaveLength(before)
      expect(sockets.last.isClosed).toBe(true)
      expect(other.socket.readyState).toBe(other.socket.OPEN)
    })
  }

  test('W9 messages of unknown types are skipped', () => {
    const { sockets, socket } = bareSocket()
    serve(sockets.last)
    const before = sockets.last.sent.length
    for (const frame of [Uint8Array.of(42, 1, 2), Uint8Array.of(100), encodeFrame({ type: 'hurry' })]) {
      socket.send(frame.slice())
    }
    expect(socket.readyState).toBe(socket.OPEN)
    expect(sockets.last.sent).toHaveLength(before)
  })

  test('W9 a relay that sends garbage is left, and nothing of it is handed on', async () => {
    const { sockets, socket, messages } = bareSocket([A, B])
    const a = await sockets.to(A)
    serve(a)
    const before = messages.length
    a.receive(Uint8Array.of(0, 2, 200))
    expect(a.isClosed).toBe(true)
    const b = await sockets.to(B, A)
    expect(messages).toHaveLength(before)
    serve(b)
    expect(socket.readyState).toBe(socket.OPEN)
  })
})
