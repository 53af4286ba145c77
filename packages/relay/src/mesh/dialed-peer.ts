import { WebSocket } from 'ws'
import type { RelayLimits } from '../options.js'
import type { Peer } from '../room-host.js'

export interface DialedPeerListener {
  opened(): void
  frame(frame: Uint8Array): void
  drained(): void
  closed(code: number, reason: string): void
}

const HANDSHAKE_WITHIN_MS = 2_000

/** Another relay's room as a member of this one's, over a connection that this relay made. */
export class DialedPeer implements Peer {
  readonly urgent = false
  congested = false
  isOpen = false
  private readonly socket: WebSocket

  constructor(
    readonly id: number,
    url: URL,
    private readonly limits: RelayLimits,
    private readonly listener: DialedPeerListener,
  ) {
    this.socket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: limits.frameBytesMax,
      handshakeTimeout: HANDSHAKE_WITHIN_MS,
    })
    this.socket.on('open', () => {
      this.isOpen = true
      listener.opened()
    })
    this.socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) listener.frame(new Uint8Array(data.buffer, data.byteOffset, data.length))
    })
    // A close always follows.
    this.socket.on('error', () => {})
    this.socket.on('close', (code, reason) => {
      this.isOpen = false
      listener.closed(code, reason.toString())
    })
  }

  send(message: Uint8Array): void {
    if (!this.isOpen) return
    // Beyond, the link is made anew, and what is missing found out.
    if (this.socket.bufferedAmount > this.limits.bufferedBytesMax) {
      this.socket.terminate()
      return
    }
    this.socket.send(message, () => this.checkDrained())
    if (this.socket.bufferedAmount > this.limits.bufferedBytesHigh) this.congested = true
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason.slice(0, 40))
    setTimeout(() => this.socket.terminate(), CLOSE_WITHIN_MS).unref()
  }

  terminate(): void {
    this.socket.terminate()
  }

  private checkDrained(): void {
    if (!this.congested || this.socket.bufferedAmount > this.limits.bufferedBytesHigh / 2) return
    this.congested = false
    this.listener.drained()
  }
}

/** How long a closing handshake may take. */
const CLOSE_WITHIN_MS = 2_000
