import { RawSocket } from './hostile-sockets.js'
import type { Random } from './seed.js'
import type { After } from './until.js'

/** A request as the bytes of one connection. */
export interface HostileRequest {
  readonly head: string
  readonly body: Uint8Array
  /** Whether it is HTTP at all; what is not is answered by Node, without JSON, or by the end of the connection. */
  readonly isHttp: boolean
}

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

const METHODS = ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'POST', 'OPTIONS', 'TRACE', 'PROPFIND', 'MKCOL']
const SPACES = [
  'home',
  'a%2Fb',
  '%E2%82%AC',
  '..',
  '.',
  '%2e%2e',
  'x'.repeat(129),
  '%00',
  'a%5Cb',
  '%',
  '%zz',
]
const KEYS = [
  'key',
  'light%2Fkitchen',
  '%F0%9F%98%80',
  '',
  '%ff',
  '%',
  'k'.repeat(600),
  '__proto__',
  '%00',
  '..',
]
const PATHS = [
  '/',
  '/v1',
  '/v1/spaces',
  '/v1/spaces/home',
  '//',
  '/metrics/x',
  '*',
  '/v1/spaces/home/state/a/b',
]
const TYPES = [
  'application/json',
  'application/merge-patch+json',
  'application/json; charset=utf-8',
  'APPLICATION/JSON',
  'text/plain',
  'multipart/form-data; boundary=x',
  ';',
]
const HOSTS = [
  '127.0.0.1',
  'localhost',
  '[::1]',
  'evil.example',
  '127.0.0.1.evil.example',
  '',
  'localhost:99999',
]
/** Over the largest body that is taken. */
const HUGE_BYTES = 9 * 1024 * 1024

const BODIES: readonly ((random: Random) => Uint8Array)[] = [
  () => text('{"on":true}'),
  (random) => text(JSON.stringify({ [random.text(5)]: random.text(random.below(2_000)) })),
  // A value with a key `constructor` is a known bug, with a test of its own.
  () => text('{"__proto__":{"x":1},"hasOwnProperty":null,"toString":1}'),
  () => text('{"a":'),
  () => text(''),
  () => text('null'),
  () => text('1e999'),
  () => text('"\\ud800"'),
  () => text('\ufeff1'),
  (random) => random.bytes(random.below(200)),
  (random) => text('['.repeat(random.pick([60, 70, 10_000, 100_000]))),
  (random) => nested(random.pick([60, 64, 65, 129, 5_000, 100_000])),
  (random) => text(`{"k":${'{"k":'.repeat(5_000)}1${'}'.repeat(5_001)}${random.text(1)}`),
  () => text(JSON.stringify('x'.repeat(1024 * 1024 + 1))),
  () => text(JSON.stringify({ ['k'.repeat(513)]: 1 })),
  () => text(JSON.stringify(Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`many/${i}`, i])))),
]

/** Ways in which a request is no HTTP. */
const BROKEN: readonly ((random: Random) => string)[] = [
  () => 'GET /healthz HTTP/1.1\r\n\r\n',
  () => 'GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n',
  () => 'GET /h ealthz HTTP/1.1\r\nHost: localhost\r\n\r\n',
  () => 'G\u0000T / HTTP/1.1\r\nHost: localhost\r\n\r\n',
  () => 'PUT /v1/spaces/home/state/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
  () => 'PUT /v1/spaces/home/state/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9e9\r\n\r\n',
  () =>
    'PUT /v1/spaces/home/state/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n',
  () => 'PUT /v1/spaces/home/state/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  () => `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
  () => 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n',
  () => 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: miracles\r\n\r\n',
  () => 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
  () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  (random) => `${random.text(200)}\r\n\r\n`,
]

export function hostileRequest(random: Random): HostileRequest {
  if (random.chance(0.1)) return { head: random.pick(BROKEN)(random), body: text(''), isHttp: false }
  // Mostly methods that exist, for the same reason as the paths below.
  const method = random.pick(random.chance(0.8) ? METHODS.slice(0, 5) : METHODS)
  const body = random.chance(0.02) ? new Uint8Array(HUGE_BYTES).fill(0x20) : random.pick(BODIES)(random)
  const host = random.chance(0.9) ? '127.0.0.1' : random.pick(HOSTS)
  const lines = [`${method} ${target(random)} HTTP/1.1`, `Host: ${host}`, 'Connection: close']
  if (random.chance(0.9)) {
    lines.push(`Content-Type: ${random.chance(0.7) ? 'application/json' : random.pick(TYPES)}`)
  }
  if (method === 'GET' && random.chance(0.1)) lines.push('Accept: text/html;q=0.5, */*;q=0')
  const framed = random.chance(0.3) ? chunked(body, random) : body
  lines.push(framed === body ? `Content-Length: ${body.length}` : 'Transfer-Encoding: chunked')
  return { head: `${lines.join('\r\n')}\r\n\r\n`, body: framed, isHttp: true }
}

function target(random: Random): string {
  if (random.chance(0.1)) return random.pick(PATHS)
  // Mostly paths that exist, or nothing behind the first check would ever be reached.
  const space = random.chance(0.7) ? 'home' : random.pick(SPACES)
  const key = random.chance(0.5) ? `key-${random.below(20)}` : random.pick(KEYS)
  const path = `/v1/spaces/${space}/state`
  const query = random.chance(0.1) ? '?x=%zz&__proto__=1' : ''
  return (random.chance(0.4) ? path : `${path}/${key}`) + query
}

function chunked(body: Uint8Array, random: Random): Uint8Array {
  const parts: Uint8Array[] = []
  for (let at = 0; at < body.length; ) {
    const part = body.subarray(at, at + 1 + random.below(Math.max(1_000, body.length)))
    parts.push(text(`${part.length.toString(16)}\r\n`), part, text('\r\n'))
    at += part.length
  }
  return Buffer.concat([...parts, text('0\r\n\r\n')])
}

function nested(depth: number): Uint8Array {
  return text('['.repeat(depth) + ']'.repeat(depth))
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

/** Sends it and reads until the relay ends the connection. Undefined if that came without an answer. */
export async function answerTo(after: After, port: number, request: HostileRequest) {
  const socket = new RawSocket(after, port)
  socket.write(Buffer.from(request.head, 'latin1')).write(request.body)
  await socket.ended()
  return parsed(socket.received)
}

function parsed(bytes: Buffer): Answer | undefined {
  // Past an interim answer, of which there may be one.
  const all = bytes.toString('utf8').replace(/^HTTP\/1.1 100 .*\r\n\r\n/, '')
  const [head = '', ...rest] = all.split('\r\n\r\n')
  const status = /^HTTP\/1\.1 (\d{3})/.exec(head)
  if (status === null) return undefined
  const type = /^content-type: *(.*)$/im.exec(head)?.[1]?.trim() ?? ''
  return { status: Number(status[1]), type, body: rest.join('\r\n\r\n') }
}
