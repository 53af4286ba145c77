import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { Relay, RelayEvent } from '../src/index.js'
import { RawClient, randomFrom, relayForTest, runSeed, until } from './helpers.js'

const REQUESTS = 400
const RAW_REQUESTS = 150
/** What SPEC.md names for a relay whose log works and that does not stop. */
const DOCUMENTED = [200, 201, 304, 400, 403, 404, 405, 408, 409, 412, 413, 415, 428, 431]

const METHODS = ['GET', 'GET', 'HEAD', 'PUT', 'PUT', 'PATCH', 'PATCH', 'DELETE', 'POST', 'OPTIONS', 'TRACE']
const PARTS = [
  'home',
  'k',
  'a b',
  'ü🏠',
  '__proto__',
  'constructor',
  '%',
  '%zz',
  '%ff',
  '%00',
  '%2F',
  '%2e%2e',
]
const MORE_PARTS = ['', '..', '?', '#', '\u00ff', '%ed%a0%80', 'x'.repeat(600), '*', 'state', '%F0%9F%8F%A0']
const PATHS = [
  '/',
  '*',
  '//',
  '/healthz',
  '/readyz',
  '/metrics',
  '/v1',
  '/state',
  '/v1/spaces/home/strong',
  '/v1/spaces/',
  'http://localhost/healthz',
]
const TYPES = ['application/json', 'application/json', 'application/merge-patch+json', 'text/plain', ';', 'ü']
const JSONS = [
  '{}',
  'null',
  '[]',
  '1e999',
  '"\\ud800"',
  '{"a":null}',
  '{"__proto__":{"b":1}}',
  '{"":1}',
  '{"k":{"k":1}}',
  '{"prefixes":["k"]}',
  '{"prefixes":[""]}',
  '{"value":1}',
]
const BODIES = [
  ...JSONS,
  '',
  '{',
  '\u0000',
  'x',
  `"${'x'.repeat(1_100_000)}"`,
  nested('[', ']'),
  nested('{"k":', '}'),
]
const QUERIES = ['q=%', 'deadlineMs=5000', 'deadlineMs=0', 'resolve=1-0-k', 'resolve=%', 'resolve=1-2-%00']
const CONDITIONS: Record<string, readonly string[]> = {
  'if-match': ['*', '"1"', '"0"', '"x"', ''],
  'if-none-match': ['*', '"1"', 'W/"1"'],
  'idempotency-key': ['a', 'b', '', 'x'.repeat(300), 'ü'],
  'skein-since': ['0', '7', '-1', '9'.repeat(16)],
  prefer: ['wait=1', 'wait=', 'wait=999999999'],
}
const RAW_TEMPLATES = [
  'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'PUT /v1/spaces/raw/state/k HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}',
  'PATCH /v1/spaces/raw/state HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  'GET /raw HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n',
]

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

test('H15 whatever is asked, the answer is one that is documented, and the relay works on', async () => {
  const events: RelayEvent[] = []
  const relay = await relayForTest({ strong: ['k', 'x'], onEvent: (event) => events.push(event) })
  const random = randomFrom(runSeed('packages/relay/test/http-fuzz.test.ts'))
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  onTestFinished(() => agent.destroy())

  await inParallel(REQUESTS, async () => {
    const asked = randomRequest(random)
    const answer = await send(relay, agent, asked)
    check(answer, asked.method, JSON.stringify(asked).slice(0, 500))
  })
  await inParallel(RAW_REQUESTS, async () => {
    const text = mutated(random, pick(random, RAW_TEMPLATES))
    const received = await sendRaw(relay.port, text)
    if (received !== '') expect(DOCUMENTED, text).toContain(Number(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1]))
  })

  expect(events.filter(({ kind }) => !kind.startsWith('connection-'))).toEqual([])
  await expectWorking(relay, agent)
})

function check({ status, headers, body }: Answer, method: string, asked: string): void {
  expect(DOCUMENTED, asked).toContain(status)
  if (status < 400) return
  expect(headers['content-type'], asked).toContain('application/json')
  if (status === 405) expect(headers.allow, asked).toContain('GET')
  if (method === 'HEAD') return
  const error = {
    code: expect.any(String),
    message: expect.any(String),
    applied: expect.stringMatching(/^(no|maybe)$/),
  }
  expect(JSON.parse(body), asked).toMatchObject({ error })
}

async function expectWorking(relay: Relay, agent: Agent): Promise<void> {
  const path = '/v1/spaces/home/state/after'
  const put = { method: 'PUT', path, headers: { 'content-type': 'application/json' }, body: Buffer.from('1') }
  expect((await send(relay, agent, put)).status).toBe(201)
  const all = await send(relay, agent, { method: 'GET', path: '/v1/spaces/home/state', headers: {} })
  expect(JSON.parse(all.body)).toMatchObject({ after: 1 })
  const client = new RawClient(`${relay.url}/home`)
  await until('a client is greeted', () => client.frames.length > 0)
}

interface Request {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body?: Buffer
}

function randomRequest(random: () => number): Request {
  const method = pick(random, METHODS)
  const headers: Record<string, string> = {}
  if (random() < 0.8) headers['content-type'] = pick(random, TYPES)
  if (random() < 0.1) headers.host = pick(random, ['evil.example', 'localhost:1', '', '[', '127.0.0.1.'])
  if (random() < 0.1) headers.accept = 'text/event-stream'
  if (random() < 0.1) headers['content-encoding'] = 'gzip'
  for (const [name, values] of Object.entries(CONDITIONS)) {
    if (random() < 0.1) headers[name] = pick(random, values)
  }
  const body = Buffer.from(pick(random, BODIES), random() < 0.9 ? 'utf8' : 'latin1')
  if (random() < 0.2 && body.length > 0) body[Math.floor(random() * body.length)] = Math.floor(random() * 256)
  const path = randomPath(random)
  if (random() < 0.2) return { method, path, headers }
  // Node's client would send the body of a GET without saying that it is there.
  if (random() < 0.2) headers['transfer-encoding'] = 'chunked'
  else headers['content-length'] = String(body.length)
  return { method, path, headers, body }
}

function randomPath(random: () => number): string {
  if (random() < 0.15) return pick(random, PATHS)
  const part = () => {
    const text = pick(random, random() < 0.6 ? PARTS : MORE_PARTS)
    // What no request may have unencoded, and now and then the rest, too.
    return /[^\u0021-\u007e]/.test(text) || random() < 0.2 ? encodeURIComponent(text) : text
  }
  const space = random() < 0.5 ? 'home' : part()
  const kind = random() < 0.5 ? 'state' : 'strong'
  const query = random() < 0.2 ? `?${pick(random, QUERIES)}` : ''
  return `/v1/spaces/${space}/${kind}${random() < 0.6 ? `/${part()}` : ''}${query}`
}

function send(relay: Relay, agent: Agent, { method, path, headers, body }: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: relay.port, agent, method, path, headers }
    const asking = httpRequest(options, (response) => {
      const { statusCode: status = 0, headers } = response
      const chunks: Buffer[] = []
      const done = () => resolve({ status, headers, body: Buffer.concat(chunks).toString() })
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('end', done)
      if (headers['content-type'] !== 'text/event-stream') return
      done()
      asking.destroy()
    })
    asking.once('error', (cause) => {
      reject(new Error(`${cause.message}: ${method} ${path} ${JSON.stringify(headers)} ${body?.length}`))
    })
    asking.end(body)
  })
}

/** Sends bytes and no more, and resolves with what comes until the other end closes. */
function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.end(text, 'latin1'))
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
  })
}

/** The text with a few of its characters changed, left out or doubled. */
function mutated(random: () => number, text: string): string {
  let result = text
  for (let i = Math.floor(random() * 4); i > 0; i--) {
    const at = Math.floor(random() * result.length)
    const middle = pick(random, ['', result.slice(at, at + 9).repeat(2), String.fromCharCode(random() * 256)])
    result = result.slice(0, at) + middle + result.slice(at + 1)
  }
  return result
}

async function inParallel(count: number, task: () => Promise<void>): Promise<void> {
  let left = count
  const worker = async () => {
    while (left-- > 0) await task()
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!
}

/** Deeper than anything that recurses could go. */
function nested(open: string, close: string): string {
  return `${open.repeat(50_000)}1${close.repeat(50_000)}`
}
