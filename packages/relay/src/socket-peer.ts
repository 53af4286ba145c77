import type { Duplex } from 'node:stream'
import { CLOSE } from '@skein/protocol'
import type { WebSocket } from 'ws'
import type { Metrics } from './metrics.js'
import type { Peer } from './room-host.js'

/** A WebSocket as a member of a room. */
export class SocketPeer implements Peer {
  /** Whether a WebSocket pong, or anything else, came since the last check. */
  alive = true

  constructor(
    readonly id: number,
    private readonly socket: WebSocket,
    /** The connection under the WebSocket. */
    private readonly stream: Duplex,
    private readonly bufferedBytesMax: number,
    private readonly metrics: Metrics,
  ) {}

  send(message: Uint8Array, wire: () => Buffer): void {
    if (this.socket.readyState !== this.socket.OPEN) return
    // Checked before adding: one frame may be larger than the limit by itself.
    if (this.socket.bufferedAmount > this.bufferedBytesMax) {
      this.close(CLOSE.tryLater, 'this reader is too slow; sync again later')
      return
    }
    // Between the frames of `ws`: it writes whole ones, as there is no compression to wait for.
    this.stream.write(wire())
    this.metrics.framesSent.inc()
    this.metrics.bytesSent.inc(message.length)
  }

  close(code: number, reason: string): void {
    this.socket.close(code, closeReason(reason))
    // What comes after a close is not read, so the peer's answer to it might never be: don't wait long.
    setTimeout(() => this.socket.terminate(), CLOSE_WITHIN_MS).unref()
  }

  /** Ends connections whose other end no longer answers. Call in regular intervals. */
  checkAlive(): void {
    if (!this.alive) {
      this.socket.terminate()
      return
    }
    this.alive = false
    this.socket.ping()
  }
}

/** How long a closing handshake may take. */
const CLOSE_WITHIN_MS = 2_000

/** A close reason has at most 123 bytes; longer ones, and parts of characters, are cut. */
function closeReason(reason: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(reason).subarray(0, 120)).replace(/\uFFFD$/, '')
}
