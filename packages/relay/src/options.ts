import { LIMITS } from '@skein/protocol'
import type { Log } from './log/log.js'

export interface RelayOptions {
  /** TCP port; 0 (the default) takes a free one. */
  readonly port?: number
  /** A loopback address: without access keys a relay is open to its own machine only. Default 127.0.0.1. */
  readonly host?: string
  /** Directory of the embedded LMDB log; made if missing. Without it, and without `log`, rooms live in memory. */
  readonly dataDir?: string
  /** A log of your own instead of the embedded one; closed with the relay. */
  readonly log?: Log
  /**
   * Origins of pages that may connect besides those of this machine itself (`http://localhost:5173` and
   * the like), e.g. `https://home.example`. Programs that are no browsers send none, and may.
   */
  readonly origins?: readonly string[]
  /** Other relays that decide strong keys together with this one. Default: it decides them alone. */
  readonly cluster?: ClusterOptions
  /**
   * Prefixes of strong keys that a space has whose agents declare none, e.g. `lock/`. Give all relays of a
   * cluster the same. Default: none.
   */
  readonly strong?: readonly string[]
  readonly limits?: Partial<RelayLimits>
  /** Called for what an operator wants to know. Default: nothing is said. */
  readonly onEvent?: (event: RelayEvent) => void
}

export interface ClusterOptions {
  /** This member's name, for good: letters, digits, dot, dash and underscore. Default `r1`. */
  readonly id?: string
  /** The other members by id, and where each listens, e.g. `{ r2: 'ws://127.0.0.1:4002' }`. */
  readonly peers?: { readonly [id: string]: string }
  /** Waits to be taken into a cluster that runs, in the place of another member. */
  readonly join?: boolean
}

/**
 * What one relay takes on. Beyond a limit a client is told so by a close code; nobody else is touched.
 * All are whole numbers above 0, and times at most what a timer can wait for.
 */
export interface RelayLimits {
  /** Connections at once; more are closed with 1013. */
  readonly connectionsMax: number
  /** Rooms in memory at once; a further one is answered with 1013. */
  readonly roomsMax: number
  /** Largest frame taken, in bytes, at most the protocol's; a larger one closes its connection with 1009. */
  readonly frameBytesMax: number
  /** Largest update taken, in bytes. One that is over the frame limit comes in chunks, from Skein agents. */
  readonly updateBytesMax: number
  /** Bytes that one space's log may hold; an update beyond is rejected as too large. */
  readonly spaceBytesMax: number
  /** Bytes of unfinished messages in chunks, of all connections together; beyond, a sender is closed with 1013. */
  readonly inboundBytesMax: number
  /** Bytes of the content of rooms that stay in memory; what is dropped is read from the log when it is asked for. */
  readonly contentBytesMax: number
  /** Bytes waiting for one slow reader from which it gets no more updates until it has drained; below the next. */
  readonly bufferedBytesHigh: number
  /** Bytes that may wait for one slow reader at all; beyond, it is closed with 1013. */
  readonly bufferedBytesMax: number
  /** How long a slow reader may take to drain before it is closed with 1013. */
  readonly drainWithinMs: number
  /** How long an empty room stays in memory. */
  readonly idleRoomMs: number
  /** Readers of event streams over HTTP at once; more are answered 503. */
  readonly streamsMax: number
}

export const DEFAULT_LIMITS: RelayLimits = {
  connectionsMax: 10_000,
  roomsMax: 10_000,
  frameBytesMax: LIMITS.frameBytesMax,
  updateBytesMax: LIMITS.updateBytesMax,
  spaceBytesMax: 1024 * 1024 * 1024,
  inboundBytesMax: 1024 * 1024 * 1024,
  contentBytesMax: 256 * 1024 * 1024,
  bufferedBytesHigh: 1024 * 1024,
  // Above the largest frame, which a joiner may be sent at once.
  bufferedBytesMax: 2 * LIMITS.frameBytesMax,
  drainWithinMs: 120_000,
  idleRoomMs: 30_000,
  streamsMax: 1_000,
}

export type RelayEvent =
  /** A room's log could not be read, or the room failed while it ran; its members were closed. */
  | { readonly kind: 'room-failed'; readonly room: string; readonly error: unknown }
  /** The log refused a write; nothing of it was acknowledged and the room's members were closed. */
  | { readonly kind: 'write-failed'; readonly room: string; readonly error: unknown }
  /** Compaction of a room's log failed; the log is as it was. */
  | { readonly kind: 'compaction-failed'; readonly room: string; readonly error: unknown }
  /** The server that listens reported an error; it listens on. */
  | { readonly kind: 'server-failed'; readonly error: unknown }
  /** An HTTP request met a mistake of the relay itself. */
  | { readonly kind: 'request-failed'; readonly error: unknown }
  /** A connection was closed for what it sent. */
  | { readonly kind: 'client-closed'; readonly room: string; readonly code: number; readonly reason: string }
  /** The relays have founded a cluster, or this one was taken into it. */
  | { readonly kind: 'cluster-formed'; readonly members: readonly string[] }
  | { readonly kind: 'member-connected'; readonly member: string }
  | { readonly kind: 'member-disconnected'; readonly member: string }
  /** A relay that is no member here, or lists others, wants to be one. The reason says what to do. */
  | { readonly kind: 'member-refused'; readonly member: string; readonly reason: string }
  /** A member came without the disk that holds what it promised. The reason says what to do. */
  | { readonly kind: 'foreign-store'; readonly member: string; readonly reason: string }
  /** Another relay refuses to share a space, or has another epoch of it; the reason says which. Others are not affected. */
  | {
      readonly kind: 'link-refused'
      readonly room: string
      readonly member: string
      readonly code: number
      readonly reason: string
    }
  /** The disk failed under the strong region. This relay takes no part in it until it is started again. */
  | { readonly kind: 'strong-failed'; readonly error: unknown }
  /** A connection asked for a room. There are as many of these as there are clients. */
  | { readonly kind: 'connection-opened'; readonly room: string }
  /** A connection that was opened is gone; 1006 where it just broke. */
  | { readonly kind: 'connection-closed'; readonly room: string; readonly code: number }

/** Whether a page of this origin may connect. Any page of the web can try to reach a loopback address. */
export function isOriginAllowed(origin: string | undefined, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes(origin)) return true
  try {
    const { hostname } = new URL(origin)
    return isLoopback(hostname.replace(/^\[|\]$/g, ''))
  } catch {
    return false
  }
}

/** Whether the `Host` header of an HTTP request names this machine, or an allowed origin's. Old clients send none. */
export function isHostAllowed(host: string | undefined, origins: readonly string[]): boolean {
  if (host === undefined || isOriginAllowed(`http://${host}`, [])) return true
  return origins.some((origin) => URL.canParse(origin) && new URL(origin).host === host)
}

export function isLoopback(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|::1|localhost)$/.test(host)
}
