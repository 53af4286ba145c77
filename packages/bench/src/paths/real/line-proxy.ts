import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { LineOptions, Random } from '@skein/simulator'
import { Direction } from './direction.js'
import { Pump } from './pump.js'

/** `up` is from whoever connects to where the line leads. */
export type Way = 'up' | 'down' | 'both'

export interface LineProxyOptions {
  /** Where the line leads. */
  readonly port: number
  readonly up: LineOptions
  readonly down: LineOptions
  readonly random: Random
  /** The loopback address that its connections come from, for those who tell lines apart by it. */
  readonly localAddress?: string
}

/** Connections of a line at once; more are ended. An agent has one, and for a moment another. */
const CONNECTIONS_MAX = 16

/** A line to a port of this machine, as a TCP proxy: delay, jitter, rate, bursts of loss, holes and closed connections. */
export class LineProxy {
  /** Bytes that were handed to the line, whether or not they have arrived. */
  readonly bytes = { up: 0, down: 0 }
  private readonly connections = new Set<Connection>()
  private readonly up: Direction
  private readonly down: Direction

  private constructor(
    private readonly server: Server,
    private readonly options: LineProxyOptions,
  ) {
    const nowMs = performance.now()
    this.up = new Direction(options.random, options.up, nowMs)
    this.down = new Direction(options.random, options.down, nowMs)
    server.on('connection', (socket) => this.accept(socket))
  }

  static async open(options: LineProxyOptions): Promise<LineProxy> {
    // Half open, so that what is on the line still arrives when its sender has closed.
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
    const proxy = new LineProxy(server, options)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`
  }

  /** Nothing arrives any more for so long, connections that are made meanwhile included; then all of it does. */
  hole(way: Way, durationMs: number): void {
    const nowMs = performance.now()
    if (way !== 'down') this.up.hole(nowMs, durationMs)
    if (way !== 'up') this.down.hole(nowMs, durationMs)
  }

  /** Ends all connections, with a reset or in an orderly way; what was on its way is lost. New ones are welcome. */
  close(how: 'reset' | 'end'): void {
    for (const connection of this.connections) connection.close(how)
  }

  async shut(): Promise<void> {
    this.close('reset')
    this.server.close()
    await once(this.server, 'close')
  }

  private accept(from: Socket): void {
    if (this.connections.size >= CONNECTIONS_MAX) {
      from.destroy()
      return
    }
    const { port, localAddress, up, down } = this.options
    const to = connect({
      ...{ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true },
      ...(localAddress === undefined ? {} : { localAddress }),
    })
    const nowMs = performance.now()
    // The handshake takes a round trip; the answer to it can only follow.
    this.up.begin(nowMs, up.delayMs + down.delayMs)
    this.down.begin(nowMs, 0)
    const connection: Connection = new Connection(
      [from, to],
      [
        new Pump(from, to, this.up, (bytes) => {
          this.bytes.up += bytes
        }),
        new Pump(to, from, this.down, (bytes) => {
          this.bytes.down += bytes
        }),
      ],
      () => this.connections.delete(connection),
    )
    this.connections.add(connection)
    from.resume()
  }
}

class Connection {
  private open = 2

  constructor(
    private readonly sockets: readonly [Socket, Socket],
    private readonly pumps: readonly [Pump, Pump],
    onGone: () => void,
  ) {
    for (const socket of sockets) {
      socket.on('error', () => {})
      socket.on('close', () => {
        this.open--
        if (this.open === 0) onGone()
      })
    }
  }

  close(how: 'reset' | 'end'): void {
    for (const pump of this.pumps) pump.stop()
    for (const socket of this.sockets) {
      if (how === 'reset') socket.resetAndDestroy()
      else socket.destroySoon()
    }
  }
}
