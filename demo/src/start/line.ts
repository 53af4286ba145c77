import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { type LineMode, SLOW_ROUND_TRIP_MS } from '../model/lab.js'
import { Direction } from './direction.js'
import { HOST } from './ports.js'

/** Connections over one line at a time; more are ended at once. */
export const LINE_CONNECTIONS_MAX = 256

/** The way to one relay, as a TCP proxy whose delay and silence can be set while it is in use. */
export class Line {
  /** The port of the relay; while there is none, connections are ended at once. */
  relayPort: number | undefined
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  #mode: LineMode = 'normal'

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket: Socket) => this.#accept(socket))
  }

  /** @param port where agents are to connect; 0 for any free one. @throws Error if it is taken */
  static async open(port: number): Promise<Line> {
    // Half open: the relay may have more to say after its client has ended, and the other way round.
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const line = new Line(server)
    server.listen(port, HOST)
    await once(server, 'listening')
    return line
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `ws://${HOST}:${this.port}`
  }

  get mode(): LineMode {
    return this.#mode
  }

  /** What a silent line has kept comes out when it is none any more. */
  set mode(mode: LineMode) {
    this.#mode = mode
    for (const { there, back } of this.#connections) {
      there.flush()
      back.flush()
    }
  }

  /** What it keeps for later now, in all directions. */
  get held(): { readonly things: number; readonly bytes: number } {
    const all = [...this.#connections].flatMap(({ there, back }) => [there.held, back.held])
    return all.reduce((sum, held) => ({ things: sum.things + held.things, bytes: sum.bytes + held.bytes }), {
      things: 0,
      bytes: 0,
    })
  }

  /** Ends all connections. */
  close(): void {
    this.#server.close()
    for (const { agent, relay } of this.#connections) {
      agent.destroy()
      relay.destroy()
    }
  }

  #accept(agent: Socket): void {
    // A close always follows.
    agent.on('error', () => {})
    if (this.relayPort === undefined || this.#connections.size >= LINE_CONNECTIONS_MAX) {
      agent.destroy()
      return
    }
    const relay = connect({ port: this.relayPort, host: HOST, allowHalfOpen: true, noDelay: true })
    relay.on('error', () => {})
    const connection = {
      agent,
      relay,
      there: new Direction(agent, relay, this),
      back: new Direction(relay, agent, this),
    }
    this.#connections.add(connection)
    for (const socket of [agent, relay]) {
      socket.on('close', () => {
        if (agent.destroyed && relay.destroyed) this.#connections.delete(connection)
      })
    }
  }

  /** How long what is sent now takes, in milliseconds. */
  get delayMs(): number {
    return this.#mode === 'slow' ? SLOW_ROUND_TRIP_MS / 2 : 0
  }
}

interface Connection {
  readonly agent: Socket
  readonly relay: Socket
  readonly there: Direction
  readonly back: Direction
}
