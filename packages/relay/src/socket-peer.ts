import type { Duplex } from 'node:stream'
import { CLOSE } from '@skein/protocol'
import type { WebSocket } from 'ws'
import type { Metrics } from './metrics.js'
import type { RelayLimits } from './options.js'
import type { Peer } from './room-host.js'

/** A WebSocket as a member of a room. */
export class SocketPeer implements Peer {
  /** Whether a WebSocket pong, or anything else, came since the last check. */
  alive = true
  congested = false
  readonly urgent = false
  private drainTimer: ReturnType<typeof setTimeout> | undefined

  constructor(
    readonly id: number,
    private readonly socket: WebSocket,
    /** The connection under the WebSocket. */
    private readonly stream: Duplex,
    private readonly limits: RelayLimits,
    private readonly metrics: Metrics,
    private readonly onDrained: () => void,
  ) {}

  send(message: Uint8Array, wire: () => Buffer): void {
    if (this.socket.readyState !== this.socket.OPEN) return
    // Checked before adding: one frame may be larger than the limit by itself.
    if (this.stream.writableLength > this.limits.bufferedBytesMax) {
      this.close(CLOSE.tryLater, 'this reader is too slow; sync again later')
      return
    }
    // Between the frames of `ws`: it writes whole ones, as there is no compression to wait for.
    this.stream.write(wire())
    this.metrics.framesSent.inc()
    this.metrics.bytesSent.inc(message.length)
    if (!this.congested && this.stream.writableLength > this.limits.bufferedBytesHigh) this.waitForDrain()
  }

  close(code: number, reason: string): void {
    this.socket.close(code, closeReason(reason))
    // What comes after a close is not read, so the peer's answer to it might never be: don't wait long.
    setTimeout(() => this.socket.terminate(), CLOSE_WITHIN_MS).unref()
  }

  /** The connection is closed. */
  closed(): void {
    clearTimeout(this.drainTimer)
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

  private waitForDrain(): void {
    this.congested = true
    this.drainTimer = setTimeout(() => {
      this.close(CLOSE.tryLater, 'this reader is too slow; sync again later')
    }, this.limits.drainWithinMs)
    this.drainTimer.unref()
    this.stream.once('drain', () => {
      clearTimeout(this.drainTimer)
      this.congested = false
      this.onDrained()
    })
  }
}

/** How long a closing handshake may take. */
export const CLOSE_WITHIN_MS = 2_000

/** A close reason has at most 123 bytes; longer ones, and parts of characters, are cut. */
export function closeReason(reason: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(reason).subarray(0, 120)).replace(/\uFFFD$/, '')
}
