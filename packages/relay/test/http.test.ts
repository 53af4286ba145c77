import { request } from 'node:http'
import { joinSpace } from '@skein/agent'
import { encodeFrame } from '@skein/protocol'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as Y from 'yjs'
import { mergePatch } from '../src/http/merge-patch.js'
import { createRelay, memoryLog, type Relay } from '../src/index.js'
import { RawClient, relayForTest, temporaryDirectory, until } from './helpers.js'

const base = (relay: Relay) => relay.url.replace('ws:', 'http:')
const state = (relay: Relay, key?: string) =>
  `${base(relay)}/v1/spaces/home/state${key === undefined ? '' : `/${encodeURIComponent(key)}`}`

function send(url: string, method: string, body?: unknown, type = 'application/json'): Promise<Response> {
  return fetch(url, {
    method,
    headers: body === undefined ? {} : { 'content-type': type },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

async function agent(relay: Relay) {
  const space = await joinSpace('home', { relays: [relay.url] })
  onTestFinished(() => space.leave())
  await space.whenSynced
  return space
}

describe('reading and writing', () => {
  test('H1 H2 H4 write, read, list, delete', async () => {
    const relay = await relayForTest({ dataDir: temporaryDirectory() })
    const created = await send(state(relay, 'light/kitchen'), 'PUT', { on: true })
    expect(created.status).toBe(201)
    expect(await created.json()).toEqual({ durability: 'relay' })
    expect((await send(state(relay, 'light/kitchen'), 'PUT', { on: false })).status).toBe(200)
    expect(await (await fetch(state(relay, 'light/kitchen'))).json()).toEqual({ on: false })
    await send(state(relay, 'n'), 'PUT', 'null')
    expect(await (await fetch(state(relay))).json()).toEqual({ 'light/kitchen': { on: false }, n: null })
    expect(await (await send(state(relay, 'n'), 'DELETE')).json()).toEqual({ durability: 'relay' })
    expect((await send(state(relay, 'n'), 'DELETE')).status).toBe(404)
    expect((await fetch(state(relay, 'n'))).status).toBe(404)
  })

  test('H3 a merge patch is applied as a whole', async () => {
    const relay = await relayForTest()
    await send(state(relay), 'PATCH', { lamp: { on: true, level: 3 }, gone: 1 })
    const space = await agent(relay)
    let updates = 0
    space.doc.on('update', () => updates++)
    const patch = { lamp: { level: null, hue: 'red' }, gone: null, fresh: [1] }
    expect((await send(state(relay), 'PATCH', patch, 'application/merge-patch+json')).status).toBe(200)
    expect(await (await fetch(state(relay))).json()).toEqual({ lamp: { on: true, hue: 'red' }, fresh: [1] })
    await until('the agent has it', () => space.get('gone') === undefined)
    expect(updates).toBe(1)
    const bad = await send(state(relay), 'PATCH', { fine: 1, ['x'.repeat(513)]: 2 })
    expect(bad.status).toBe(400)
    expect(Object.keys((await (await fetch(state(relay))).json()) as object).sort()).toEqual([
      'fresh',
      'lamp',
    ])
  })

  test('H4 the answer waits for the disk', async () => {
    let flush = () => {}
    const relay = await relayForTest({
      log: {
        ...memoryLog(),
        append: () =>
          new Promise<void>((resolve) => {
            flush = resolve
          }),
      },
    })
    let answered = false
    const writing = send(state(relay, 'k'), 'PUT', 1).then((response) => {
      answered = true
      return response
    })
    const reader = await agent(relay)
    await until('others have it already', () => reader.get('k') === 1)
    expect(answered).toBe(false)
    flush()
    expect((await writing).status).toBe(201)
  })

  test('H4 a disk that refuses is 503, perhaps applied, and it works again afterwards', async () => {
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
    const refused = await send(state(relay, 'k'), 'PUT', 1)
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({ error: { code: 'unavailable', applied: 'maybe' } })
    full = false
    expect((await send(state(relay, 'k'), 'PUT', 2)).status).toBe(201)
  })

  test('H5 a stream tells the state and then each change', async () => {
    const relay = await relayForTest()
    await send(state(relay, 'a'), 'PUT', 1)
    const abort = new AbortController()
    const response = await fetch(state(relay), {
      headers: { accept: 'text/event-stream' },
      signal: abort.signal,
    })
    let text = ''
    const reading = (async () => {
      for await (const chunk of response.body!) text += Buffer.from(chunk).toString()
    })().catch(() => {})
    await until('the state is told', () => text.includes('\n\n'))
    await send(state(relay, 'a'), 'PUT', 2)
    await send(state(relay, 'a'), 'DELETE')
    await until('both changes are told', () => text.includes('event: delete'))
    expect(text).toBe(
      'event: state\ndata: {"a":1}\n\nevent: set\ndata: {"key":"a","value":2}\n\nevent: delete\ndata: {"key":"a"}\n\n',
    )
    abort.abort()
    await reading
  })

  test('H6 agents and HTTP see each other, across a restart too', async () => {
    const dataDir = temporaryDirectory()
    const first = await createRelay({ dataDir })
    const space = await agent(first)
    space.set('by agent', 1)
    await space.durable('relay')
    expect(await (await fetch(state(first, 'by agent'))).json()).toBe(1)
    await send(state(first, 'by http'), 'PUT', 2)
    await until('the agent has it', () => space.get('by http') === 2)
    await first.close()
    const second = await relayForTest({ dataDir })
    expect(await (await fetch(state(second))).json()).toEqual({ 'by agent': 1, 'by http': 2 })
  })

  test('H6 concurrent writers lose nothing', async () => {
    const relay = await relayForTest({ dataDir: temporaryDirectory() })
    const writes = Array.from({ length: 100 }, (_, i) => send(state(relay, `k${i}`), 'PUT', i))
    expect((await Promise.all(writes)).every(({ status }) => status === 201)).toBe(true)
    const all = (await (await fetch(state(relay))).json()) as Record<string, number>
    expect(Object.keys(all)).toHaveLength(100)
  })
})

describe('stopping', () => {
  test('H4 L11 a write under way when the relay stops gets its answer with the last flush', async () => {
    const memory = memoryLog()
    let flush = () => {}
    const relay = await createRelay({
      log: {
        ...memory,
        append: (room, updates) =>
          new Promise<void>((resolve) => {
            flush = () => resolve(memory.append(room, updates))
          }),
      },
    })
    const reader = await agent(relay)
    const writing = send(state(relay, 'k'), 'PUT', 1)
    await until('it is under way', () => reader.get('k') === 1)
    const closing = relay.close()
    flush()
    expect((await writing).status).toBe(201)
    await closing
  })
})

describe('bad input', () => {
  test.each<[string, string, string | undefined, string, number]>([
    ['not JSON', 'PUT', '{', 'application/json', 400],
    ['no body', 'PUT', undefined, 'application/json', 400],
    ['too deep', 'PUT', '['.repeat(200) + ']'.repeat(200), 'application/json', 400],
    ['another type', 'PUT', '1', 'text/plain', 415],
    ['too large', 'PUT', `"${'x'.repeat(9 * 1024 * 1024)}"`, 'application/json', 413],
    ['a value over the limit', 'PUT', `"${'x'.repeat(2 * 1024 * 1024)}"`, 'application/json', 400],
    ['another method', 'POST', '1', 'application/json', 405],
  ])('H7 %s', async (_what, method, body, type, status) => {
    const relay = await relayForTest()
    const response = await send(state(relay, 'k'), method, body, type).catch(() => undefined)
    // A body that is too large may be cut off before the answer is read.
    if (response !== undefined) expect(response.status).toBe(status)
    else expect(status).toBe(413)
    expect(await (await fetch(state(relay))).json()).toEqual({})
  })

  test.each([
    '/v1/spaces/%ff/state',
    '/v1/spaces/a%2F%2Fb/state',
    `/v1/spaces/${'x'.repeat(200)}/state`,
    '/v1/spaces/home/state/%zz',
  ])('H7 the space or key of %s', async (path) => {
    const relay = await relayForTest()
    expect((await fetch(base(relay) + path)).status).toBe(400)
    expect(relay.roomCount).toBe(0)
  })

  test('H7 a patch nested deeper than anything could recurse is 400', async () => {
    const relay = await relayForTest()
    const patch = `${'{"k":'.repeat(50_000)}1${'}'.repeat(50_000)}`
    const refused = await send(state(relay), 'PATCH', patch)
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ error: { code: 'bad-value', applied: 'no' } })
  })

  test('H7 a room that cannot be loaded is 503; others work', async () => {
    const memory = memoryLog()
    const relay = await relayForTest({
      log: {
        ...memory,
        async *load(room) {
          if (room === 'broken') throw new Error('bad sector')
          yield* memory.load(room)
        },
      },
    })
    expect((await fetch(`${base(relay)}/v1/spaces/broken/state`)).status).toBe(503)
    expect((await fetch(state(relay))).status).toBe(200)
  })

  test('H9 a name that is not of this machine is 403', async () => {
    const relay = await relayForTest()
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const probe = request(state(relay), { headers: { host: 'evil.example' } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      probe.once('error', reject)
      probe.end()
    })
    expect(status).toBe(403)
  })
})

describe('what others put there', () => {
  test('H10 a value that is not JSON is told as null, also to a stream', async () => {
    const relay = await relayForTest()
    const space = await agent(relay)
    const stream = await fetch(state(relay), { headers: { accept: 'text/event-stream' } })
    let text = ''
    const reading = (async () => {
      for await (const chunk of stream.body!) text += Buffer.from(chunk).toString()
    })().catch(() => {})
    await until('the stream is open', () => text.includes('event: state'))
    space.doc.getMap('state').set('big', 1n)
    await until('the change is told', () => text.includes('"value":null'))
    expect(await (await fetch(state(relay))).json()).toEqual({ big: null })
    await stream.body!.cancel().catch(() => {})
    void reading
  })

  test('H10 a document that Yjs cannot read costs its own space, never the relay', async () => {
    const relay = await relayForTest()
    const client = new RawClient(`${relay.url}/home`)
    await client.opened()
    client.socket.send(encodeFrame({ type: 'update', update: nestedAndDeleted(12_000) }))
    await until('it is taken in', () => relay.roomCount === 1)
    const answer = await fetch(state(relay))
    expect([200, 503]).toContain(answer.status)
    expect((await fetch(`${base(relay)}/v1/spaces/other/state`)).status).toBe(200)
  })

  test('H4 a write over the limit of the relay is refused at once, and is not read back', async () => {
    const relay = await relayForTest({ limits: { updateBytesMax: 10_000 } })
    const refused = await send(state(relay, 'k'), 'PUT', { text: 'x'.repeat(20_000) })
    expect(refused.status).toBe(503)
    expect((await send(state(relay, 'small'), 'PUT', 1)).status).toBe(201)
    expect(await (await fetch(state(relay))).json()).toEqual({ small: 1 })
  })
})

/** Maps in maps, so many levels deep, and the deletion of the outermost: Yjs recurses to delete them. */
function nestedAndDeleted(levels: number): Uint8Array {
  const doc = new Y.Doc({ gc: false })
  let map: Y.Map<unknown> = doc.getMap('state')
  doc.transact(() => {
    for (let i = 0; i < levels; i++) {
      const inner = new Y.Map<unknown>()
      map.set('m', inner)
      map = inner
    }
  })
  const whole = Y.encodeStateAsUpdate(doc)
  const deletion = encodeDeletion(doc.clientID)
  return Y.mergeUpdates([whole, deletion])
}

/** An update without structs that deletes the first id of a client. */
function encodeDeletion(client: number): Uint8Array {
  const bytes = [0, 1]
  for (let rest = client; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      bytes.push(rest)
      break
    }
    bytes.push((rest % 128) | 128)
  }
  return Uint8Array.from([...bytes, 1, 0, 1])
}

describe('operations', () => {
  test('H8 health, readiness, metrics', async () => {
    const relay = await relayForTest()
    expect((await fetch(`${base(relay)}/healthz`)).status).toBe(200)
    expect((await fetch(`${base(relay)}/readyz`)).status).toBe(200)
    await send(state(relay, 'k'), 'PUT', 1)
    const metrics = await (await fetch(`${base(relay)}/metrics`)).text()
    expect(metrics).toMatch(/^skein_rooms 1$/m)
    expect(metrics).toMatch(/^skein_log_entries_total 1$/m)
    expect(metrics).toMatch(/^skein_commit_seconds_count 1$/m)
  })

  test('H8 metrics of clients: closed ones by code, slow ones, streams', async () => {
    const relay = await relayForTest()
    const text = async () => (await fetch(`${base(relay)}/metrics`)).text()
    const bad = await new RawClient(`${relay.url}/room`).opened()
    bad.socket.send('text')
    expect(await bad.closedWith()).toBe(4400)
    const stream = await fetch(state(relay), { headers: { accept: 'text/event-stream' } })
    const metrics = await text()
    expect(metrics).toMatch(/^skein_clients_closed_total\{code="4400"\} 1$/m)
    expect(metrics).toMatch(/^skein_streams 1$/m)
    expect(metrics).toMatch(/^skein_slow_readers 0$/m)
    await stream.body!.cancel()
    while (!/^skein_streams 0$/m.test(await text()));
  })
})

describe('merge patch', () => {
  // The examples of RFC 7396, appendix A.
  test.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('H3 %j with %j is %j', (target, patch, result) => {
    expect(mergePatch(target as never, patch as never)).toEqual(result)
  })

  test('H3 applied twice it is the same as once', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
        const once = mergePatch(target as never, patch as never)
        expect(mergePatch(once, patch as never)).toEqual(once)
      }),
    )
  })
})
