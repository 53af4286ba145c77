import { once } from 'node:events'
import { request as httpRequest, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createHttpServer } from '../src/http/server.js'
import { memoryLog, type Relay, type RelayEvent } from '../src/index.js'
import { relayForTest, until } from './helpers.js'

const base = (relay: Relay) => relay.url.replace('ws:', 'http:')
const SLOW_BODY = 'PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n1'
const STREAM = { headers: { accept: 'text/event-stream' } }

/** A connection that sends what it is told to, and keeps what it gets. */
class RawConnection {
  received = ''
  ended = false
  readonly socket: Socket

  constructor(port: number, text: string) {
    this.socket = connect(port, '127.0.0.1', () => this.socket.write(text, 'latin1'))
    this.socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString()
    })
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.ended = true
    })
    onTestFinished(() => void this.socket.destroy())
  }

  /** Status and error code of the one answer, once the other end has closed. */
  async refusal(): Promise<[status: number, code: string]> {
    await until('it is closed', () => this.ended)
    const [head = '', body = ''] = this.received.split('\r\n\r\n')
    return [Number(head.split(' ')[1]), (JSON.parse(body) as { error: { code: string } }).error.code]
  }
}

async function serverForTest(...args: Parameters<typeof createHttpServer>): Promise<number> {
  const server: Server = createHttpServer(...args)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  onTestFinished(() => server.closeAllConnections())
  return (server.address() as AddressInfo).port
}

describe('requests that are none', () => {
  test.each<[what: string, text: string, status: number, code: string]>([
    ['not HTTP', 'hello\r\n\r\n', 400, 'bad-request'],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'bad-request'],
    ['no host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'bad-request'],
    [
      'too large headers',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'too-large',
    ],
    [
      'two lengths',
      'PUT /v1/spaces/a/state/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1',
      400,
      'bad-request',
    ],
    [
      'an upgrade to something else',
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
      400,
      'bad-request',
    ],
  ])('H11 %s is told in the shape of all errors', async (_what, text, status, code) => {
    const relay = await relayForTest()
    expect(await new RawConnection(relay.port, text).refusal()).toEqual([status, code])
    expect((await fetch(`${base(relay)}/healthz`)).status).toBe(200)
  })

  test('H11 rubbish after a request that waits for its answer is not taken for that answer', async () => {
    const port = await serverForTest(() => {})
    const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
    const connection = new RawConnection(port, `${request}rubbish\r\n\r\n`)
    await until('it is closed', () => connection.ended)
    expect(connection.received).toBe('')
  })
})

describe('slow clients', () => {
  const times = { headersMs: 100, requestMs: 200, checkMs: 20 }

  test.each([
    ['headers', 'GET / HTTP/1.1\r\nHost: local'],
    ['a body', SLOW_BODY],
  ])('H12 who does not send %s in time is 408 and gone', async (_what, text) => {
    const port = await serverForTest(() => {}, times)
    expect(await new RawConnection(port, text).refusal()).toEqual([408, 'too-slow'])
  })

  test('H12 an answer may take as long as it needs', async () => {
    let begun = false
    const answer: Parameters<typeof createHttpServer>[0] = ({ method }, response) => {
      if (method !== 'GET') return
      response.write('begun')
      begun = true
    }
    const port = await serverForTest(answer, times)
    const patient = new RawConnection(port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await until('it is being answered', () => begun)
    // Whoever comes later and is cut off shows that the time is over for the first one, too.
    await new RawConnection(port, SLOW_BODY).refusal()
    expect(patient.ended).toBe(false)
  })
})

describe('clients that go away', () => {
  test('H13 an upload that breaks off is no event and writes nothing', async () => {
    const events: RelayEvent[] = []
    const relay = await relayForTest({ onEvent: (event) => events.push(event) })
    const url = `${base(relay)}/v1/spaces/home/state/k`
    for (let i = 0; i < 5; i++) {
      const upload = httpRequest(url, { method: 'PUT', headers: { 'content-length': 100 } })
      upload.on('error', () => {})
      upload.write('"begun')
      await until('it arrives', () => relay.roomCount === 1)
      upload.destroy()
    }
    expect((await fetch(url)).status).toBe(404)
    expect(events).toEqual([])
  })
})

describe('event streams', () => {
  test('H5 beyond the limit of readers the answer is 503; when one goes another may come', async () => {
    const relay = await relayForTest({ limits: { streamsMax: 1 } })
    const url = `${base(relay)}/v1/spaces/home/state`
    const first = new AbortController()
    await fetch(url, { ...STREAM, signal: first.signal })
    const refused = await fetch(url, STREAM)
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({ error: { code: 'unavailable', applied: 'no' } })
    expect((await fetch(url)).status).toBe(200)
    first.abort()
    for (;;) {
      const again = await fetch(url, STREAM)
      await again.body!.cancel()
      if (again.status === 200) break
    }
  })
})

describe('methods', () => {
  test.each([
    ['/healthz', 'GET, HEAD'],
    ['/metrics', 'GET, HEAD'],
    ['/v1/spaces/home/state', 'GET, HEAD, PATCH'],
    ['/v1/spaces/home/state/k', 'GET, HEAD, PUT, DELETE'],
  ])('H14 %s tells what is possible, and loads nothing to say so', async (path, allowed) => {
    const loaded: string[] = []
    const memory = memoryLog()
    const load = (room: string) => {
      loaded.push(room)
      return memory.load(room)
    }
    const relay = await relayForTest({ log: { ...memory, load } })
    for (const method of ['OPTIONS', 'POST']) {
      const response = await fetch(base(relay) + path, { method })
      expect(response.status).toBe(405)
      expect(response.headers.get('allow')).toBe(allowed)
      expect(await response.json()).toMatchObject({ error: { code: 'method-not-allowed' } })
    }
    expect(loaded).toEqual([])
  })

  test('H14 HEAD is GET without a body', async () => {
    const relay = await relayForTest()
    for (const [path, status] of [
      ['/healthz', 200],
      ['/v1/spaces/home/state', 200],
      ['/v1/spaces/home/state/none', 404],
    ] as const) {
      const response = await fetch(base(relay) + path, { method: 'HEAD' })
      expect([response.status, await response.text()]).toEqual([status, ''])
    }
  })
})
