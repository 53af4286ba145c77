import type { PeerMessage } from '@skein/paxos'
import type { WebSocket } from 'ws'
import { MalformedBytes } from './bytes.js'
import { decodeFrame, encodeHelloFrame, encodeMessageFrames } from './frame.js'
import type { Hello } from './hello.js'
import { CLUSTER_LIMITS } from './limits.js'

/** Close codes between members. */
export const LINK_CLOSE = {
  stopping: 1012,
  tooMany: 1013,
  malformed: 4400,
  /** A page of a browser has no business here. */
  notAMember: 4403,
  /** The two do not belong together; the reason says why. */
  refused: 4410,
  /** There is another link between the two. */
  duplicate: 4411,
} as const

/** A connection is ended when nothing was heard for so long; a ping is sent much more often. */
const SILENT_MS_MAX = 2_500
/** How long the other side may take to say who it is. */
const HELLO_WITHIN_MS = 5_000
/** Of a close frame. */
const REASON_BYTES_MAX = 123

export interface LinkListener {
  hello(link: Link, hello: Hello): void
  messages(link: Link, messages: readonly PeerMessage[]): void
  closed(link: Link, code: number, reason: string): void
}

/** One WebSocket to another member. Says hello first; what is sent in a turn leaves as one frame. */
export class Link {
  /** As it introduced itself; undefined before. */
  peer: Hello | undefined
  /** Messages that were given up because the other side does not read. */
  dropped = 0
  private readonly openedMs = performance.now()
  private heardMs = this.openedMs
  private outbox: PeerMessage[] = []
  private isClosed = false

  /** @param socket open. `ws` switches Nagle's algorithm off: an answer does not wait for others. */
  constructor(
    private readonly socket: WebSocket,
    /** Whether this side made the connection. */
    readonly isDialed: boolean,
    private readonly listener: LinkListener,
  ) {
    const heard = () => {
      this.heardMs = performance.now()
    }
    socket.on('pong', heard)
    socket.on('ping', heard)
    socket.on('error', ignore)
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      heard()
      if (isBinary) this.take(data)
      else this.close(LINK_CLOSE.malformed, 'text frames are not part of this protocol')
    })
    socket.on('close', (code, reason) => this.ended(code, reason.toString()))
  }

  introduce(hello: Hello): void {
    if (!this.isClosed) this.socket.send(encodeHelloFrame(hello))
  }

  /** Leaves with the next `flush`. */
  send(message: PeerMessage): void {
    this.outbox.push(message)
  }

  flush(): void {
    if (this.outbox.length === 0) return
    const messages = this.outbox
    this.outbox = []
    if (this.isClosed) return
    for (const frame of encodeMessageFrames(messages)) {
      if (this.socket.bufferedAmount > CLUSTER_LIMITS.bufferedBytesMax) {
        this.dropped += messages.length
        return
      }
      this.socket.send(frame)
    }
  }

  checkAlive(nowMs: number): void {
    const isStranger = this.peer === undefined && nowMs - this.openedMs > HELLO_WITHIN_MS
    if (isStranger || nowMs - this.heardMs > SILENT_MS_MAX) this.socket.terminate()
    else if (!this.isClosed) this.socket.ping()
  }

  /** This process stood still: nothing can be said about the other one. */
  forgive(nowMs: number): void {
    this.heardMs = nowMs
    if (!this.isClosed) this.socket.ping()
  }

  close(code: number, reason: string): void {
    this.socket.close(code, shortened(reason))
    this.ended(code, reason)
  }

  terminate(): void {
    this.socket.terminate()
  }

  private take(data: Buffer): void {
    if (this.isClosed) return
    try {
      const frame = decodeFrame(data)
      if (frame.kind === 'hello') this.listener.hello(this, frame.hello)
      else if (this.peer === undefined) throw new MalformedBytes('it did not say hello')
      else this.listener.messages(this, frame.messages)
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error
      this.close(LINK_CLOSE.malformed, error.message)
    }
  }

  private ended(code: number, reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.outbox = []
    this.listener.closed(this, code, reason)
  }
}

function ignore(): void {}

function shortened(reason: string): string {
  let text = reason
  while (Buffer.byteLength(text) > REASON_BYTES_MAX) text = text.slice(0, -1)
  return text
}
