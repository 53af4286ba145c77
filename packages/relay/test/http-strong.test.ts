import { connect } from 'node:net'
import { PAXOS_LIMITS } from '@skein/paxos'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createRelay, type Relay, type RelayOptions } from '../src/index.js'
import { startRelay } from '../src/relay.js'
import { relayForTest, temporaryDirectory, until } from './helpers.js'
import { MemoryRegion } from './support/memory-region.js'

type Headers = Record<string, string>

async function setUp(options: RelayOptions = {}) {
  const region = new MemoryRegion()
  const relay = await startRelay({ strong: ['lock/'], ...options }, region)
  onTestFinished(() => relay.close())
  const base = relay.url.replace('ws:', 'http:')
  const send = async (method: string, path: string, body?: unknown, headers: Headers = {}) => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      etag: response.headers.get('etag'),
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }
  const at = (key: string) => `/v1/spaces/home/strong/${encodeURIComponent(key)}`
  const key = (method: string, body?: unknown, headers?: Headers, query = '') =>
    send(method, `${at('lock/front')}${query}`, body, headers)
  return { region, relay, base, send, at, key }
}

const error = (code: string, applied: 'no' | 'maybe' = 'no') => ({
  error: { code, message: expect.any(String), applied },
})

describe('one key', () => {
  test('H16 a value is written, read and deleted, with its version as ETag', async () => {
    const { key } = await setUp()
    expect(await key('GET')).toMatchObject({ status: 404, body: { current: { version: 0, fence: 0 } } })
    const created = await key('PUT', { open: true })
    expect(created).toMatchObject({ status: 201, etag: '"1"' })
    expect(created.body).toEqual({ value: { open: true }, version: 1, fence: 1 })
    expect(await key('PUT', 'null')).toMatchObject({ status: 200, etag: '"2"', body: { value: null } })
    const read = await key('GET')
    expect(read).toMatchObject({ status: 200, etag: '"2"', body: { value: null, version: 2, fence: 2 } })
    expect(read.headers.get('cache-control')).toBe('no-store')
    expect(await key('HEAD')).toMatchObject({ status: 200, etag: '"2"', body: undefined })
    expect((await key('GET', undefined, { 'if-none-match': '"1", "2"' })).status).toBe(304)
    expect((await key('GET', undefined, { 'if-none-match': '"1"' })).status).toBe(200)
    const deleted = await key('DELETE')
    expect(deleted).toMatchObject({ status: 200, etag: null, body: { version: 3, fence: 3 } })
    expect(await key('GET')).toMatchObject({ status: 404, body: { current: { version: 3, fence: 3 } } })
    expect(await key('DELETE')).toMatchObject({ status: 404, body: error('no-such-key') })
    expect(await key('PUT', 1)).toMatchObject({ status: 201, etag: '"4"' })
  })

  test('H17 If-Match and If-None-Match compare and set', async () => {
    const { key } = await setUp()
    expect((await key('PUT', 1, { 'if-match': '*' })).status).toBe(412)
    expect((await key('PUT', 1, { 'if-none-match': '*' })).status).toBe(201)
    const there = await key('PUT', 2, { 'if-none-match': '*' })
    expect(there).toMatchObject({ status: 412, etag: '"1"' })
    expect(there.body).toEqual({ ...error('conflict'), current: { value: 1, version: 1, fence: 1 } })
    expect((await key('PUT', 2, { 'if-match': '"1"' })).status).toBe(200)
    expect((await key('PUT', 3, { 'if-match': '"1"' })).body.current.value).toBe(2)
    expect((await key('PUT', 3, { 'if-match': '*' })).body.version).toBe(3)
    expect((await key('DELETE', undefined, { 'if-match': '"1"' })).status).toBe(412)
    expect((await key('DELETE', undefined, { 'if-match': '"3"' })).status).toBe(200)
    expect(await key('DELETE', undefined, { 'if-match': '"3"' })).toMatchObject({ status: 412, etag: null })
    for (const headers of [
      { 'if-match': '3' },
      { 'if-match': '"3", "4"' },
      { 'if-match': 'W/"3"' },
      { 'if-none-match': '"3"' },
      { 'if-match': '"3"', 'if-none-match': '*' },
    ] as Headers[]) {
      expect(await key('PUT', 1, headers)).toMatchObject({ status: 400, body: error('bad-request') })
    }
  })

  test('H18 a repeated request is answered with what became of the first', async () => {
    const { key } = await setUp()
    const mine = { 'idempotency-key': 'b3c0' }
    expect(await key('PUT', 1, mine)).toMatchObject({ status: 201, body: { version: 1 } })
    await key('PUT', 2)
    expect(await key('PUT', 1, mine)).toMatchObject({ status: 201, etag: '"1"', body: { version: 1 } })
    expect((await key('GET')).body.value).toBe(2)
    for (const bad of ['', 'ü', 'x'.repeat(129), 'a b']) {
      const { status } = await key('PUT', 1, { 'idempotency-key': Buffer.from(bad).toString('latin1') })
      expect(status).toBe(400)
    }
  })

  test('H18 where nobody can tell any more it is not applied, and says what to send', async () => {
    const { key } = await setUp()
    for (let i = 0; i < PAXOS_LIMITS.clientsMax + 5; i++) {
      const headers = { 'idempotency-key': `key-${i}`, 'skein-since': String(i) }
      expect((await key('PUT', i, headers)).status).toBeLessThan(300)
    }
    const { version } = (await key('GET')).body
    const late = await key('PUT', 'late', { 'idempotency-key': 'key-0', 'content-type': 'application/json' })
    expect(late.status).toBe(400)
    const forgotten = await key('PUT', 0, { 'idempotency-key': 'key-0' })
    expect(forgotten).toMatchObject({ status: 428, etag: `"${version}"`, body: error('forgotten', 'maybe') })
    expect(forgotten.body.current.version).toBe(version)
    const matched = { 'idempotency-key': 'key-0', 'if-match': '"1"' }
    expect(await key('PUT', 0, matched)).toMatchObject({ status: 412, body: error('forgotten', 'maybe') })
    const since = { 'idempotency-key': 'new', 'skein-since': String(version) }
    expect(await key('PUT', 0, since)).toMatchObject({ status: 200, body: { version: version + 1 } })
    expect(await key('PUT', 0, since)).toMatchObject({ status: 200, body: { version: version + 1 } })
    const compared = { 'idempotency-key': 'newer', 'if-match': `"${version + 1}"` }
    expect(await key('PUT', 0, compared)).toMatchObject({ status: 200, body: { version: version + 2 } })
    expect((await key('PUT', 0)).body.version).toBe(version + 3)
  })

  test('H19 without a quorum: 503 where nothing was applied, 504 where that is unknown, and resolved', async () => {
    const { region, key, send, at } = await setUp()
    await key('PUT', 1)
    region.stopDisk()
    const never = await send('PUT', `${at('lock/back')}?deadlineMs=40`, 1)
    expect(never).toMatchObject({ status: 503, body: error('unavailable') })
    expect(never.headers.get('retry-after')).toBe('1')
    const unknown = await key('PUT', 2, {}, '?deadlineMs=40')
    expect(unknown).toMatchObject({ status: 504, body: error('unknown', 'maybe') })
    const keyed = await key('PUT', 3, { 'idempotency-key': 'k' }, '?deadlineMs=40')
    expect([503, 504]).toContain(keyed.status)
    region.startDisk()
    const resolve = (operation: string) =>
      key('POST', undefined, {}, `?resolve=${encodeURIComponent(operation)}`)
    const resolved = await resolve(unknown.body.operation)
    expect(resolved.status).toBe(200)
    const { value } = (await key('GET')).body
    expect(value).toBe(resolved.body.applied ? 2 : 1)
    expect((await resolve(unknown.body.operation)).body.applied).toBe(resolved.body.applied)
    expect((await resolve('1-0-never')).body).toMatchObject({ applied: false, current: { value } })
    const aborted = await key('PUT', 4, { 'idempotency-key': 'never' })
    expect(aborted).toMatchObject({ status: 409, body: error('aborted') })
    expect((await resolve('x')).status).toBe(400)
    expect((await key('POST')).status).toBe(400)
  })

  test('H19 the deadline can be asked for either way', async () => {
    const { region, key } = await setUp()
    await key('PUT', 1)
    region.stopDisk()
    const startMs = performance.now()
    expect((await key('PUT', 2, { prefer: 'respond-async, wait=1' })).status).toBe(504)
    expect(performance.now() - startMs).toBeGreaterThan(900)
    expect((await key('PUT', 2, {}, '?deadlineMs=0')).status).toBe(400)
  })

  test('H19 a client that goes away ends what it asked for', async () => {
    const { region, relay, key, at } = await setUp()
    await key('PUT', 1)
    region.stopDisk()
    const socket = connect(relay.port, '127.0.0.1')
    // Longer than the test waits.
    socket.write(
      `PUT ${at('lock/front')}?deadlineMs=30000 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n2`,
    )
    await until('it is under way', () => region.openCount > 0)
    socket.destroy()
    await until('it is ended', () => region.openCount === 0)
  })

  test('H20 what is not taken is refused before anything is asked', async () => {
    const { region, send, at, key } = await setUp()
    expect(await send('PUT', at('light'), 1)).toMatchObject({ status: 409, body: error('not-strong') })
    expect((await send('GET', at('light'))).status).toBe(409)
    await key('GET')
    const asked = region.executed.length
    for (const [path, body, status] of [
      [at('lock/\0'), 1, 400],
      [at(`lock/${'x'.repeat(508)}`), 1, 413],
      ['/v1/spaces/../strong/lock', 1, 404],
      ['/v1/spaces/%2F/strong/lock', 1, 400],
      [at('lock/a'), '{', 400],
      [at('lock/a'), '1e999', 400],
      [at('lock/a'), `${'['.repeat(70)}${']'.repeat(70)}`, 400],
      [at('lock/a'), `"${'ü'.repeat(40_000)}"`, 413],
      [at('lock/a'), `"${'x'.repeat(700_000)}"`, 413],
    ] as const) {
      expect((await send('PUT', path, body)).status, path).toBe(status)
    }
    expect((await send('PUT', at('lock/a'), '1', { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await send('PATCH', at('lock/a'), 1)).headers.get('allow')).toBe('GET, HEAD, PUT, DELETE, POST')
    expect(region.executed.length).toBe(asked)
    const { status } = await send('PUT', at('lock/a'), `"${'x'.repeat(65_534)}"`)
    expect(status).toBe(201)
  })
})

describe('a stream', () => {
  async function read(url: string) {
    const abort = new AbortController()
    onTestFinished(() => abort.abort())
    const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: abort.signal })
    const stream = { status: response.status, text: '', ended: false, abort: () => abort.abort() }
    const drain = async () => {
      const decoder = new TextDecoder()
      try {
        for await (const part of response.body!) stream.text += decoder.decode(part, { stream: true })
      } catch {
        // Ended by the test.
      }
      stream.ended = true
    }
    void drain()
    return stream
  }

  test('H21 tells the entry there is, then what is decided', async () => {
    const { base, at, key, region, relay } = await setUp()
    const stream = await read(`${base}${at('lock/front')}`)
    await until('there is none', () => stream.text.includes('event: delete'))
    await key('PUT', { open: true })
    await until('it is told', () =>
      stream.text.includes('data: {"value":{"open":true},"version":1,"fence":1}'),
    )
    expect(stream.text).toContain('event: set\nid: 1\n')
    const other = await read(`${base}${at('lock/front')}`)
    await until('the other has it', () => other.text.includes('event: set'))
    stream.abort()
    other.abort()
    await until('nobody watches', () => region.watchedCount === 0)
    const last = await read(`${base}${at('lock/front')}`)
    await until('it is told', () => last.text !== '')
    await relay.close()
    await until('it ends with the relay', () => last.ended)
  })

  test('H21 who reads slowly gets the newest, and nothing piles up', async () => {
    const { relay, at, key } = await setUp()
    const socket = connect(relay.port, '127.0.0.1')
    onTestFinished(() => {
      socket.destroy()
    })
    let text = ''
    socket.on('data', (part: Buffer) => {
      text += part.toString('latin1')
    })
    socket.write(`GET ${at('lock/front')} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`)
    await until('it is open', () => text.includes('event: delete'))
    socket.pause()
    const writes = 400
    for (let i = 0; i < writes; i++) await key('PUT', `"${'x'.repeat(60_000)}"`)
    socket.resume()
    await until('the newest arrives', () => text.includes(`\nid: ${writes}\n`))
    const versions = [...text.matchAll(/\nid: (\d+)\n/g)].map(([, version]) => Number(version))
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
    expect(versions.length).toBeLessThan(writes)
  })

  test('H21 is refused for a key that is not strong, and beyond the limit of streams', async () => {
    const { base, at } = await setUp({ limits: { streamsMax: 1 } })
    expect((await read(`${base}${at('light')}`)).status).toBe(409)
    expect((await read(`${base}${at('lock/a')}`)).status).toBe(200)
    expect((await read(`${base}${at('lock/a')}`)).status).toBe(503)
  })
})

test('H22 the strong keys of a space are declared once', async () => {
  const { send } = await setUp({ strong: [] })
  const declare = (prefixes: unknown) => send('PUT', '/v1/spaces/home/strong', { prefixes })
  expect(await send('GET', '/v1/spaces/home/strong')).toMatchObject({
    status: 404,
    body: error('not-declared'),
  })
  expect((await declare([''])).status).toBe(400)
  expect((await declare(undefined)).status).toBe(400)
  expect(await declare(['lock/', 'alarm/'])).toMatchObject({ status: 200 })
  expect((await declare(['alarm/', 'lock/'])).body).toEqual({ prefixes: ['lock/', 'alarm/'] })
  expect(await declare(['x/'])).toMatchObject({
    status: 409,
    body: { ...error('declared-before'), current: { prefixes: ['lock/', 'alarm/'] } },
  })
  expect((await send('GET', '/v1/spaces/home/strong')).body).toEqual({ prefixes: ['lock/', 'alarm/'] })
})

test('H23 the shared state does not take strong keys', async () => {
  const { send } = await setUp()
  const state = '/v1/spaces/home/state'
  const refused = { status: 409, body: error('strong-key') }
  expect(await send('PUT', `${state}/lock%2Ffront`, 1)).toMatchObject(refused)
  expect(await send('DELETE', `${state}/lock%2Ffront`)).toMatchObject(refused)
  expect(await send('PATCH', state, { light: 1, 'lock/front': 2 })).toMatchObject(refused)
  expect((await send('GET', state)).body).toEqual({})
  expect((await send('PUT', `${state}/light`, 1)).status).toBe(201)
})

test('H24 one value is there without any names', async () => {
  const { send, base } = await setUp({ strong: [] })
  expect((await send('GET', '/state')).body).toEqual({ value: null, version: 0, fence: 0 })
  expect(await send('POST', '/state', { value: [1] })).toMatchObject({ status: 201, body: { value: [1] } })
  expect(await send('GET', '/state')).toMatchObject({ status: 200, etag: '"1"', body: { value: [1] } })
  expect((await send('GET', '/v1/spaces/default/strong/state')).body.value).toEqual([1])
  expect((await send('PUT', '/v1/spaces/default/state/state', 1)).status).toBe(409)
  expect((await send('POST', '/state', {})).status).toBe(400)
  expect((await send('PUT', '/state', {})).status).toBe(405)
  const foreign = await fetch(`${base}/state`, {
    method: 'POST',
    headers: { origin: 'https://evil.example' },
  })
  expect(foreign.status).toBe(403)
})

test('H16 a relay alone decides its strong keys itself, and they survive a restart', async () => {
  const options = { dataDir: temporaryDirectory(), strong: ['lock/'] }
  const urlOf = ({ url }: Relay) => `${url.replace('ws:', 'http:')}/v1/spaces/home/strong/lock%2Ffront`
  const first = await createRelay(options)
  onTestFinished(() => first.close())
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'k' }
  const put = (relay: Relay) => fetch(urlOf(relay), { method: 'PUT', headers, body: '"open"' })
  expect((await put(first)).status).toBe(201)
  await first.close()
  const second = await relayForTest(options)
  expect(await (await fetch(urlOf(second))).json()).toEqual({ value: 'open', version: 1, fence: 1 })
  expect((await (await put(second)).json()).version).toBe(1)
  const deleted = await fetch(urlOf(second), { method: 'DELETE' })
  expect(await deleted.json()).toEqual({ version: 2, fence: 2 })
})
