import type { Events } from '../events.js'
import type { Line } from '../paths/line.js'

/** What connections lead to. */
export interface Server {
  readonly name: string
  /** Whether frames of connections that it does not know are answered with a reset. */
  readonly resetsStrangers: boolean
  /** A connection has come; false where nobody listens, or nobody answers. */
  accept(socket: Socket): 'accepted' | 'refused' | 'silent'
  receive(socket: Socket, frame: Uint8Array): void
  /** The connection is gone. */
  left(socket: Socket): void
}

/** What an agent's side of a connection hears. */
export interface SocketEvents {
  opened(): void
  frame(frame: Uint8Array): void
  closed(code: number, reason: string): void
}

const HANDSHAKE_BYTES = 200
/** So much the operating system takes, whatever the line is like. */
const KERNEL_BYTES = 16 * 1024
/** What a frame has beside its payload, and all of a close. */
const HEAD_BYTES = 6

/** The way from one agent to one server, for one connection after the other. */
export class Path {
  private readonly sockets = new Set<Socket>()
  /** The server takes so long to answer a handshake. */
  openingMs = 0
  /** Up to then something was wrong with it. */
  faultyUntilMs = 0

  constructor(
    readonly events: Events,
    /** Whose it is: an index of the world's agents. */
    readonly owner: number,
    readonly up: Line,
    readonly down: Line,
    readonly server: Server,
  ) {}

  connect(socketEvents: SocketEvents): Socket {
    const socket = new Socket(this, socketEvents)
    this.sockets.add(socket)
    return socket
  }

  /** Nothing arrives for so long. */
  hole(way: 'up' | 'down' | 'both', durationMs: number): void {
    this.faultyUntilMs = Math.max(this.faultyUntilMs, this.events.nowMs + durationMs)
    if (way !== 'down') this.up.hole(durationMs)
    if (way !== 'up') this.down.hole(durationMs)
  }

  /** What is on its way is gone, and both ends are told in a while. */
  break(agentAfterMs: number, serverAfterMs: number): void {
    this.faultyUntilMs = Math.max(this.faultyUntilMs, this.events.nowMs)
    this.up.cut()
    this.down.cut()
    for (const socket of [...this.sockets]) {
      socket.isBroken = true
      this.events.after(agentAfterMs, () => socket.lost())
      this.events.after(serverAfterMs, () => socket.lostByServer())
    }
  }

  forget(socket: Socket): void {
    this.sockets.delete(socket)
  }
}

/** One connection, both ends of it, as a WebSocket has them. */
export class Socket {
  private agentSide: 'connecting' | 'open' | 'closed' = 'connecting'
  private isServed = false
  /** Nothing arrives any more; the ends find out in a while. */
  isBroken = false

  constructor(
    readonly path: Path,
    private readonly events: SocketEvents,
  ) {
    this.carry(path.up, HANDSHAKE_BYTES, () => path.events.after(path.openingMs, () => this.arrived()))
  }

  /** Bytes that the agent's side has not put on the line yet. */
  get bufferedAmount(): number {
    return Math.max(0, this.path.up.waiting - KERNEL_BYTES)
  }

  get serverBuffered(): number {
    return Math.max(0, this.path.down.waiting - KERNEL_BYTES)
  }

  /** From the agent. */
  send(frame: Uint8Array): void {
    if (this.agentSide !== 'open' || this.isBroken) return
    const { path } = this
    this.carry(path.up, frame.length + HEAD_BYTES, () => {
      if (this.isServed) path.server.receive(this, frame)
      else if (path.server.resetsStrangers) this.carry(path.down, HEAD_BYTES, () => this.lost())
    })
  }

  /** By the agent, which hears nothing of it any more. */
  close(): void {
    if (this.agentSide === 'closed') return
    this.agentSide = 'closed'
    const { up, down } = this.path
    // Nobody reads what is on its way, nor waits for all of a lot to be sent.
    down.cut()
    if (up.waiting > KERNEL_BYTES) up.cut()
    this.carry(up, HEAD_BYTES, () => this.endedAtServer())
    this.forgetIfOver()
  }

  /** From the server. */
  deliver(frame: Uint8Array): void {
    // What nobody reads does not fill the line for the next connection.
    if (!this.isServed || this.isBroken || this.agentSide === 'closed') return
    this.carry(this.path.down, frame.length + HEAD_BYTES, () => {
      if (this.agentSide === 'open') this.events.frame(frame)
    })
  }

  /** By the server, which hears nothing of it any more. */
  end(code: number, reason: string): void {
    if (!this.isServed) return
    this.isServed = false
    this.carry(this.path.down, HEAD_BYTES, () => this.lost(code, reason))
    this.forgetIfOver()
  }

  /** The server's process is gone, and nothing tells so. */
  abandon(): void {
    this.isServed = false
    this.forgetIfOver()
  }

  /** The agent's side finds out that the connection is gone. */
  lost(code = 1006, reason = ''): void {
    if (this.agentSide === 'closed') return
    this.agentSide = 'closed'
    this.path.up.cut()
    this.path.down.cut()
    this.forgetIfOver()
    this.events.closed(code, reason)
  }

  lostByServer(): void {
    this.endedAtServer()
  }

  private arrived(): void {
    if (this.agentSide === 'closed') return
    const { path } = this
    if (path.server.accept(this) === 'refused') this.carry(path.down, HEAD_BYTES, () => this.lost())
  }

  /** By the server, before it sends anything. */
  serve(): void {
    this.isServed = true
    this.carry(this.path.down, HANDSHAKE_BYTES, () => {
      if (this.agentSide !== 'connecting') return
      this.agentSide = 'open'
      this.events.opened()
    })
  }

  private carry(line: Line, bytes: number, arrived: () => void): void {
    line.send(bytes, () => {
      if (!this.isBroken) arrived()
    })
  }

  private endedAtServer(): void {
    if (!this.isServed) return
    this.isServed = false
    this.forgetIfOver()
    this.path.server.left(this)
  }

  private forgetIfOver(): void {
    if (this.agentSide === 'closed' && !this.isServed) this.path.forget(this)
  }
}
