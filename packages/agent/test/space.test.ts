import { once } from 'node:events'
import { createRelay } from '@skein/relay'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import * as Y from 'yjs'
import { type Json, joinSpace } from '../src/node.js'
import { fingerprint, freePort, joinForTest, relayForTest, temporaryDirectory, until } from './helpers.js'

describe('shared state', () => {
  test('A1 reads, writes, deletes and lists flat keys', async () => {
    const space = await joinForTest('home')
    space.set('light/kitchen', { on: true })
    space.set('light/hall', { on: false })
    space.set('other', [1, null, 'x'])
    expect(space.get('light/kitchen')).toEqual({ on: true })
    expect(space.entries('light/').map(([key]) => key)).toEqual(['light/hall', 'light/kitchen'])
    expect(space.delete('other')).toBe(true)
    expect(space.delete('other')).toBe(false)
    expect(space.get('other')).toBeUndefined()
    expect(space.entries()).toHaveLength(2)
  })

  test('A1 a value is copied: changing the original changes nothing', async () => {
    const space = await joinForTest('home')
    const value = { list: [1] }
    space.set('k', value)
    value.list.push(2)
    expect(space.get('k')).toEqual({ list: [1] })
  })

  test('A1 "__proto__" is a key like any other', async () => {
    const space = await joinForTest('home')
    space.set('k', JSON.parse('{"__proto__": {"polluted": true}}'))
    expect(JSON.stringify(space.get('k'))).toBe('{"__proto__":{"polluted":true}}')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['a date', new Date()],
    ['undefined inside', { a: [undefined] }],
    ['too large', 'x'.repeat(1024 * 1024 + 1)],
  ])('A2 refuses %s and writes nothing', async (_what, value) => {
    const space = await joinForTest('home')
    expect(() => space.set('k', value as Json)).toThrow(expect.objectContaining({ code: 'bad-value' }))
    expect(space.get('k')).toBeUndefined()
  })

  test('A2 refuses a value that contains itself', async () => {
    const space = await joinForTest('home')
    const loop: Record<string, unknown> = {}
    loop.self = loop
    expect(() => space.set('k', loop as Json)).toThrow(expect.objectContaining({ code: 'bad-value' }))
  })

  test.each(['', 'x'.repeat(513)])('A2 refuses the key %j', async (key) => {
    const space = await joinForTest('home')
    expect(() => space.set(key, 1)).toThrow(expect.objectContaining({ code: 'bad-key' }))
  })

  test('A3 observers hear of their key or prefix, with old and new value', async () => {
    const space = await joinForTest('home')
    const heard: unknown[] = []
    space.observe('light/', (change) => heard.push(['prefix', change]))
    const end = space.observe('light/hall', (change) => heard.push(['key', change]))
    space.set('light/hall', 1)
    space.set('other', 1)
    end()
    space.delete('light/hall')
    expect(heard).toEqual([
      ['prefix', { key: 'light/hall', value: 1, oldValue: undefined, local: true }],
      ['key', { key: 'light/hall', value: 1, oldValue: undefined, local: true }],
      ['prefix', { key: 'light/hall', value: undefined, oldValue: 1, local: true }],
    ])
  })

  test('A3 A11 callbacks that throw hurt nobody else, and are reported', async () => {
    const reported: unknown[] = []
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => reported.push(error.message))
    onTestFinished(() => {
      process.removeAllListeners('uncaughtException')
      for (const listener of others) process.on('uncaughtException', listener)
    })
    const { url } = await relayForTest()
    const space = await joinSpace('home', { relays: [url] })
    const heard: string[] = []
    space.observe('', () => {
      throw new Error('observer')
    })
    space.observe('', ({ key }) => heard.push(key))
    space.onStatus(() => {
      throw new Error('status')
    })
    space.presence.observe(() => {
      throw new Error('presence')
    })
    space.presence.set({ seen: true })
    space.set('k', 1)
    await space.durable('relay')
    await space.leave()
    expect(heard).toEqual(['k'])
    await until('all are reported', () =>
      ['observer', 'status', 'presence'].every((message) => reported.includes(message)),
    )
  })

  test('A4 several writes in one transaction are one edit', async () => {
    const space = await joinForTest('home')
    let updates = 0
    space.doc.on('update', () => updates++)
    space.transact(() => {
      space.set('a', 1)
      space.set('b', 2)
    })
    expect(updates).toBe(1)
  })
})

describe('replication', () => {
  test('A5 two agents converge, also on the same key', async () => {
    const { url } = await relayForTest()
    const [a, b] = await Promise.all([
      joinForTest('home', { relays: [url] }),
      joinForTest('home', { relays: [url] }),
    ])
    await Promise.all([a.whenSynced, b.whenSynced])
    for (let i = 0; i < 50; i++) {
      a.set('same', `a${i}`)
      b.set('same', `b${i}`)
      a.set(`a${i % 5}`, i)
      b.delete(`a${i % 3}`)
    }
    await Promise.all([a.durable('relay'), b.durable('relay')])
    await until('equal digests', () => a.digest() === b.digest())
    expect(fingerprint(a.doc)).toEqual(fingerprint(b.doc))
  })

  test('A6 works offline at once, and merges on return', async () => {
    const { url } = await relayForTest()
    const a = await joinForTest('home', { relays: [url] })
    const b = await joinForTest('home', { relays: [url] })
    await Promise.all([a.whenSynced, b.whenSynced])
    a.set('brightness', 10)
    await until('b has it', () => b.get('brightness') === 10)
    b.disconnect()
    b.set('colour', 'red')
    b.set('brightness', 20)
    a.set('hall', true)
    await until('queued is shown', () => b.status.queued === 2)
    expect(b.status.connection).toBe('offline')
    b.connect()
    await until('equal digests', () => a.digest() === b.digest() && b.status.queued === 0)
    expect(fingerprint(a.doc)).toEqual(fingerprint(b.doc))
    expect(a.get('colour')).toBe('red')
    expect(b.get('hall')).toBe(true)
  })

  test('A6 joins where no relay can be reached, and comes up when it can', async () => {
    const port = await freePort()
    const a = await joinForTest('home', { relays: [`ws://127.0.0.1:${port}`] })
    a.set('early', 1)
    await until('an attempt failed', () => a.status.retryAt !== undefined)
    const relay = await relayForTest({ port })
    const b = await joinForTest('home', { relays: [relay.url] })
    await until('b has it', () => b.get('early') === 1)
  })

  test('A7 presence comes and goes with the agents', async () => {
    const { url } = await relayForTest()
    const a = await joinForTest('home', { relays: [url], presence: { name: 'Tablet' } })
    const b = await joinForTest('home', { relays: [url], presence: { name: 'Phone' } })
    const names = (space: typeof a) => space.presence.agents().map(({ state }) => state.name)
    await until('both see both', () => names(a).length === 2 && names(b).length === 2)
    b.presence.set({ room: 'hall' })
    await until('a sees the change', () => a.presence.agents().some(({ state }) => state.room === 'hall'))
    b.disconnect()
    expect(names(b)).toEqual(['Phone'])
    await until('a no longer sees b', () => names(a).length === 1)
    b.connect()
    await until('both see both at once', () => names(a).length === 2 && names(b).length === 2, 3_000)
    await b.leave()
    await until('b has left', () => names(a).length === 1)
  })

  test('A8 goes on with the next relay of the list when one cannot be reached', async () => {
    const { url } = await relayForTest()
    const a = await joinForTest('home', { relays: [`ws://127.0.0.1:${await freePort()}`, url] })
    await a.whenSynced
    expect(a.status.path).toMatchObject({ kind: 'relay', url: `${url}/home?skein=1` })
  })

  test('A8 a relay that refuses is left out, the others are tried in turn, and the path names the one in use', async () => {
    const { url } = await relayForTest()
    const refusing = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(refusing, 'listening')
    onTestFinished(() => void refusing.close())
    refusing.on('connection', (socket) => socket.close(4403, 'no'))
    const { port } = refusing.address() as { port: number }
    const relays = [`ws://127.0.0.1:${port}`, `ws://127.0.0.1:${await freePort()}`, url]
    const a = await joinForTest('home', { relays })
    await a.whenSynced
    expect(a.status.path?.url).toBe(`${url}/home?skein=1`)
    expect(a.status.error).toBeUndefined()
    a.connect()
    expect(a.status.path?.url).toBe(`${url}/home?skein=1`)
  })

  test('A9 a relay that restarts on the same port is found again', async () => {
    const port = await freePort()
    const dataDir = temporaryDirectory()
    const first = await createRelay({ port, dataDir })
    const a = await joinForTest('home', { relays: [first.url] })
    a.set('k', 1)
    await a.durable('relay')
    await first.close()
    await until('the loss is noticed', () => a.status.connection === 'connecting')
    a.set('while down', 2)
    const second = await relayForTest({ port, dataDir })
    await a.durable('relay')
    const b = await joinForTest('home', { relays: [second.url] })
    await b.whenSynced
    expect(fingerprint(b.doc)).toEqual(fingerprint(a.doc))
  })

  test('A9 an exception while an update is integrated is reported, and edits go on being sent', async () => {
    const { url } = await relayForTest()
    const a = await joinForTest('home', { relays: [url] })
    const b = await joinForTest('home', { relays: [url] })
    await Promise.all([a.whenSynced, b.whenSynced])
    // It leaves Yjs in the middle of its cleaning up, as an update that it cannot integrate does.
    a.doc.once('update', () => {
      throw new Error('in the middle')
    })
    b.set('remote', 1)
    await until('it is reported', () => a.status.error?.message.includes('in the middle') === true)
    a.set('mine', 2)
    await a.durable('relay')
    await until('b has it', () => b.get('mine') === 2)
    expect(fingerprint(a.doc)).toEqual(fingerprint(b.doc))
  })

  test('A10 an agent can bring a document of its own', async () => {
    const { url } = await relayForTest()
    const doc = new Y.Doc()
    doc.getText('notes').insert(0, 'hello')
    const a = await joinForTest('home', { relays: [url], doc })
    await a.durable('relay')
    const b = await joinForTest('home', { relays: [url] })
    await b.whenSynced
    expect(b.doc.getText('notes').toString()).toBe('hello')
  })
})

describe('status and durability', () => {
  test('A11 tells the path, its round trip and what is queued', async () => {
    const { url } = await relayForTest()
    const a = await joinForTest('home', { relays: [url] })
    await until('a round trip is known', () => a.status.path?.roundTripMs !== undefined)
    expect(a.status).toMatchObject({ connection: 'live', queued: 0, unsaved: 0, store: 'memory', tabs: 0 })
    const seen: number[] = []
    a.onStatus(({ queued }) => seen.push(queued))
    a.set('k', 1)
    await a.durable('relay')
    await until('it drains', () => a.status.queued === 0)
    expect(seen).toContain(1)
  })

  test('A12 durable("relay") waits for the disk of the relay', async () => {
    let flush = () => {}
    const appended: Uint8Array[] = []
    const { url } = await relayForTest({
      log: {
        async *load() {},
        rooms: async () => [],
        epochOf: async () => '',
        append: (_room, updates) => {
          appended.push(...updates.map(({ update }) => update))
          return new Promise<void>((resolve) => {
            flush = resolve
          })
        },
        replace: async () => {},
        hurry() {},
        close: async () => {},
      },
    })
    const a = await joinForTest('home', { relays: [url] })
    await a.whenSynced
    a.set('k', 1)
    let durable = false
    const waiting = a.durable('relay').then(() => {
      durable = true
    })
    await until('the update is at the log', () => appended.length === 1)
    const b = await joinForTest('home', { relays: [url] })
    await until('others have it before the disk does', () => b.get('k') === 1)
    expect(durable).toBe(false)
    expect(a.status.queued).toBe(1)
    flush()
    await waiting
    expect(a.status.queued).toBe(0)
  })

  test('A13 a stored replica is there again offline, with what was queued', async () => {
    const dataDir = temporaryDirectory()
    const first = await joinSpace('home', { dataDir, relays: [`ws://127.0.0.1:${await freePort()}`] })
    first.set('a', 1)
    first.set('b', 2)
    await first.durable('local')
    expect(first.status).toMatchObject({ unsaved: 0, store: 'lmdb', queued: 2 })
    const before = fingerprint(first.doc)
    await first.leave()
    const second = await joinForTest('home', { dataDir, offline: true })
    expect(fingerprint(second.doc)).toEqual(before)
    expect(second.status.queued).toBe(2)
  })

  test('A13 once confirmed, nothing is queued after a restart', async () => {
    const { url } = await relayForTest()
    const dataDir = temporaryDirectory()
    const first = await joinSpace('home', { dataDir, relays: [url] })
    first.set('a', 1)
    await first.durable('relay')
    await first.leave()
    const second = await joinForTest('home', { dataDir, offline: true })
    expect(second.status.queued).toBe(0)
  })

  test('A13 offline after a restart durable("relay") promises nothing, whatever the stored number says', async () => {
    const { url } = await relayForTest()
    const dataDir = temporaryDirectory()
    const other = await joinSpace('home', { dataDir, relays: [url] })
    const writer = await joinSpace('home', { dataDir, offline: true })
    writer.set('never sent', 1)
    await writer.durable('local')
    other.set('sent', 1)
    await other.durable('relay')
    await Promise.all([writer.leave(), other.leave()])
    const again = await joinForTest('home', { dataDir, offline: true })
    expect(again.get('never sent')).toBe(1)
    let confirmed = false
    const signal = AbortSignal.timeout(100)
    await again.durable('relay', { signal }).then(
      () => {
        confirmed = true
      },
      () => {},
    )
    expect(confirmed).toBe(false)
    const online = await joinForTest('home', { dataDir, relays: [url] })
    await online.durable('relay')
    const reader = await joinForTest('home', { relays: [url] })
    await reader.whenSynced
    expect(reader.get('never sent')).toBe(1)
  })

  test('A14 durable("local") says so where nothing is stored', async () => {
    const space = await joinForTest('home')
    await expect(space.durable('local')).rejects.toMatchObject({ code: 'store-unavailable' })
  })

  test('A15 waiting can be given up', async () => {
    const space = await joinForTest('home')
    space.set('k', 1)
    const abort = new AbortController()
    const waiting = space.durable('relay', { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })

  test('A16 a final close code stops it with a typed error, and connect() tries again', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    let connections = 0
    server.on('connection', (socket) => {
      connections++
      socket.close(4403, 'not for you')
    })
    const { port } = server.address() as { port: number }
    const a = await joinForTest('home', { relays: [`ws://127.0.0.1:${port}`] })
    await until('it is refused', () => a.status.connection === 'refused')
    expect(a.status.error).toMatchObject({ code: 'refused' })
    expect(a.status.error?.message).toContain('not for you')
    expect(a.status.retryAt).toBeUndefined()
    expect(connections).toBe(1)
    a.connect()
    await until('it was tried again', () => connections === 2)
  })

  test('A17 an edit over the limit of the relay stays here and says so', async () => {
    const { url } = await relayForTest({ limits: { updateBytesMax: 10_000 } })
    const a = await joinForTest('home', { relays: [url] })
    await a.whenSynced
    a.set('big', 'x'.repeat(20_000))
    await until('the error is shown', () => a.status.error?.code === 'update-too-large')
    expect(a.status.queued).toBe(1)
    await expect(a.durable('relay')).rejects.toMatchObject({ code: 'update-too-large' })
    expect(a.status.connection).toBe('live')
  })

  test('A18 after leaving, writing is refused and the promises end', async () => {
    const space = await joinSpace('home')
    const synced = space.whenSynced
    await space.leave()
    await space.leave()
    expect(() => space.set('k', 1)).toThrow(expect.objectContaining({ code: 'left' }))
    await expect(synced).rejects.toMatchObject({ code: 'left' })
    expect(space.status.connection).toBe('offline')
  })

  test('A18 destroying the document leaves the space: no edit passes for confirmed that nobody saw', async () => {
    const { url } = await relayForTest()
    const space = await joinForTest('home', { relays: [url] })
    await space.whenSynced
    space.doc.destroy()
    expect(() => space.set('k', 1)).toThrow(expect.objectContaining({ code: 'left' }))
    await expect(space.durable('relay')).rejects.toMatchObject({ code: 'left' })
  })

  test('A18 leave waits until a live relay has the last edit', async () => {
    const { url } = await relayForTest()
    const a = await joinSpace('home', { relays: [url] })
    await a.whenSynced
    a.set('last', 'words')
    await a.leave()
    const b = await joinForTest('home', { relays: [url] })
    await b.whenSynced
    expect(b.get('last')).toBe('words')
  })

  test.each([
    ['', 'bad-space-name'],
    ['a//b', 'bad-space-name'],
    ['x'.repeat(129), 'bad-space-name'],
  ])('A19 refuses the name %j', async (name, code) => {
    await expect(joinSpace(name)).rejects.toMatchObject({ code })
  })

  test.each(['nowhere', 'http://127.0.0.1:1', ''])('A19 refuses the relay %j', async (relay) => {
    await expect(joinSpace('home', { relays: [relay] })).rejects.toMatchObject({ code: 'bad-relay-url' })
  })
})

describe('tabs', () => {
  test('A20 A29 a tab without a relay is served by one that has it, and shows that path as its active one', async () => {
    const name = `home-${process.pid}-${Math.random()}`
    const { url } = await relayForTest()
    const far = await joinForTest(name, { relays: [url], presence: { name: 'far' } })
    const served = await joinForTest(name, { relays: [url], tabs: true, presence: { name: 'served' } })
    const bare = await joinForTest(name, { tabs: true, presence: { name: 'bare' } })
    await until('the path is shown', () => bare.status.path?.kind === 'tab')
    expect(bare.status.paths).toEqual([
      {
        kind: 'tab',
        url: '',
        role: 'active',
        state: 'good',
        roundTripMs: undefined,
        reliability: 1,
        goodput: undefined,
        backlog: 0,
        confirms: 'relay',
        retryAt: undefined,
        error: undefined,
      },
    ])
    expect(bare.status.path).toBe(bare.status.paths[0])
    expect(served.status.paths.map(({ kind, role }) => [kind, role])).toEqual([
      ['relay', 'active'],
      ['tab', 'standby'],
    ])
    bare.set('from', 'bare')
    await until('it went out', () => far.get('from') === 'bare')
    far.set('from', 'far')
    await until('and back', () => bare.get('from') === 'far')
    await until('the relay confirms through the tab', () => bare.status.queued === 0)
    const names = (space: typeof bare) => space.presence.agents().length
    await until('everybody sees everybody', () => [far, served, bare].every((space) => names(space) === 3))
    expect(fingerprint(bare.doc)).toEqual(fingerprint(far.doc))
  })

  test('A20 disconnect() cuts a tab off from the other tabs, too', async () => {
    const name = `home-${process.pid}-${Math.random()}`
    const a = await joinForTest(name, { tabs: true })
    const b = await joinForTest(name, { tabs: true })
    await until('they know each other', () => a.status.tabs === 1 && b.status.tabs === 1)
    await until('and see each other', () => a.presence.agents().length === 2)
    b.disconnect()
    await until('a knows', () => a.status.tabs === 0 && a.presence.agents().length === 1)
    b.set('k', 1)
    expect(a.get('k')).toBeUndefined()
    b.connect()
    await until('they are together again', () => a.get('k') === 1 && a.presence.agents().length === 2, 3_000)
  })
})
