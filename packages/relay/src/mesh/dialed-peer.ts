import { WebSocket } from 'ws'
import type { RelayLimits } from '../options.js'
import type { Peer } from '../room-host.js'
import { CLOSE_WITHIN_MS, closeReason } from '../socket-peer.js'

export interface DialedPeerListener {
  opened(): void
  frame(frame: Uint8Array): void
  drained(): void
  closed(code: number, reason: string): void
}

const HANDSHAKE_WITHIN_MS = 2_000
/** The side that made a link pings so often; either gives it up when it has heard nothing for so long. */
export const LINK_PING_MS = 2_000
export const LINK_SILENT_MS_MAX = 10_000

/** Another relay's room as a member of this one's, over a connection that this relay made. */
export class DialedPeer implements Peer {
  readonly urgent = false
  congested = false
  isOpen = false
  private readonly socket: WebSocket
  private pingTimer: ReturnType<typeof setInterval> | undefined
  private heardMs = performance.now()

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
      this.heardMs = performance.now()
      this.keepAlive()
      listener.opened()
    })
    this.socket.on('pong', () => this.heard())
    this.socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.heard()
      if (isBinary) listener.frame(new Uint8Array(data.buffer, data.byteOffset, data.length))
    })
    // A close always follows.
    this.socket.on('error', () => {})
    this.socket.on('close', (code, reason) => {
      this.isOpen = false
      clearInterval(this.pingTimer)
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
    this.socket.close(code, closeReason(reason))
    setTimeout(() => this.socket.terminate(), CLOSE_WITHIN_MS).unref()
  }

  terminate(): void {
    this.socket.terminate()
  }

  private heard(): void {
    this.heardMs = performance.now()
  }

  /** A connection can be dead without either side being told. */
  private keepAlive(): void {
    let checkedMs = performance.now()
    this.pingTimer = setInterval(() => {
      const nowMs = performance.now()
      // This process stood still: nothing can be said about the other one.
      if (nowMs - checkedMs > 3 * LINK_PING_MS) this.heardMs = nowMs
      checkedMs = nowMs
      if (nowMs - this.heardMs > LINK_SILENT_MS_MAX) this.socket.terminate()
      else this.socket.ping()
    }, LINK_PING_MS)
    this.pingTimer.unref()
  }

  private checkDrained(): void {
    if (!this.congested || this.socket.bufferedAmount > this.limits.bufferedBytesHigh / 2) return
    this.congested = false
    this.listener.drained()
  }
}
