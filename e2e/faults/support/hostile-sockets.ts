import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Random } from './seed.js'
import { type After, until } from './until.js'

/** A TCP connection and what came back on it. */
export class RawSocket {
  closed = false
  readonly socket: Socket
  private readonly chunks: Buffer[] = []
  private readonly end: Promise<void>

  constructor(after: After, port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk)
    })
    // Not `once` of node:events, which takes an error for a failure; here it is an end like others.
    this.end = new Promise((resolve) =>
      this.socket.on('close', () => {
        this.closed = true
        resolve()
      }),
    )
    after(() => void this.socket.destroy())
  }

  get received(): Buffer {
    return Buffer.concat(this.chunks)
  }

  write(data: Uint8Array | string): this {
    if (!this.closed) this.socket.write(data)
    return this
  }

  async answered(): Promise<string> {
    await until('an answer', () => this.closed || this.chunks.length > 0)
    return this.received.toString('latin1')
  }

  ended(): Promise<void> {
    return this.end
  }
}

function upgradeRequest(path: string, more = ''): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`
  )
}

/** A masked frame's head that announces a length of 2^62. */
const ENDLESS = Uint8Array.of(0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4)
/** Each is against RFC 6455: not masked, reserved bits, an unknown opcode, a fragmented or long control frame. */
const NO_FRAMES: readonly Uint8Array[] = [
  Uint8Array.of(0x82, 0x02, 1, 2),
  Uint8Array.of(0xf2, 0x82, 1, 2, 3, 4, 5, 6),
  Uint8Array.of(0x83, 0x80, 1, 2, 3, 4),
  Uint8Array.of(0x09, 0x80, 1, 2, 3, 4),
  Uint8Array.of(0x89, 0xfe, 0x01, 0x00, 1, 2, 3, 4),
  Uint8Array.of(0x80, 0x80, 1, 2, 3, 4),
  ENDLESS,
]

/**
 * Connections that are no WebSocket, cease to be one, or never become one. Each call makes one; those
 * that the relay must end are waited for.
 */
const ATTACKS: readonly ((after: After, port: number, random: Random) => Promise<void>)[] = [
  async (after, port, random) => {
    const socket = new RawSocket(after, port).write(upgradeRequest('/raw?skein=1'))
    await socket.answered()
    await socket.write(random.pick(NO_FRAMES)).ended()
  },
  async (after, port, random) => {
    const socket = new RawSocket(after, port).write(upgradeRequest('/raw'))
    await socket.answered()
    // Noise may happen to be the head of a large frame: then it is this side that gives up.
    socket.write(random.bytes(500)).socket.end()
    await socket.ended()
  },
  async (after, port) => {
    // A request that never ends; the relay may wait for the rest, but not for ever, so this side goes.
    const socket = new RawSocket(after, port).write(upgradeRequest('/half').slice(0, -10))
    await once(socket.socket, 'connect')
    socket.socket.resetAndDestroy()
    await socket.ended()
  },
  async (after, port) => {
    const more = `X-Large: ${'x'.repeat(100_000)}\r\n`
    await new RawSocket(after, port).write(upgradeRequest('/large', more)).ended()
  },
  async (after, port) => {
    // Gone in the moment in which it is accepted.
    const socket = new RawSocket(after, port).write(upgradeRequest('/gone?skein=1'))
    await once(socket.socket, 'connect')
    socket.socket.resetAndDestroy()
    await socket.ended()
  },
  async (after, port) => {
    const request = upgradeRequest('/raw').replace('Version: 13', 'Version: 99')
    await new RawSocket(after, port).write(request).ended()
  },
  async (after, port, random) => {
    const socket = new RawSocket(after, port).write(random.bytes(200))
    socket.socket.end()
    await socket.ended()
  },
]

export function attack(after: After, port: number, random: Random): Promise<void> {
  return random.pick(ATTACKS)(after, port, random)
}
