import { SkeinError } from '../errors.js'
import type { Sockets } from '../platform.js'
import { spaceUrl } from '../space-url.js'
import type { PathStatus, PathSwitch } from '../types.js'
import { FailoverSocket, ProviderMemory } from './failover-socket.js'

/** A `WebSocket` that is open as long as one of the relays can be reached. */
export interface FailoverWebSocket extends WebSocket {
  /**
   * Bytes of the edits that no relay has confirmed on its disk, in this connection. Of a plain server: those not
   * yet handed to it.
   */
  readonly bufferedAmount: number
  /** The ways to the space: relays in the order of the list. As `status.paths` of a space. */
  readonly paths: readonly PathStatus[]
  /** The last change of the active path; undefined where there was none. */
  readonly lastSwitch: PathSwitch | undefined
  /** Edits that no relay has confirmed on its disk, in this connection. Of a plain server: not yet handed to it. */
  readonly queued: number
  /**
   * The last thing that went wrong: relays that refuse, an edit that a relay does not take (which is also told by
   * an `error` event with this as its `error`).
   */
  readonly error: SkeinError | undefined
}

/** What `WebSocketPolyfill` wants; its instances are what `provider.ws` holds. */
export interface FailoverWebSocketClass {
  /** @throws SkeinError `bad-space-name` where the URL names no room that can be used */
  new (url: string | URL, protocols?: string | string[]): FailoverWebSocket
  readonly prototype: FailoverWebSocket
  readonly CONNECTING: 0
  readonly OPEN: 1
  readonly CLOSING: 2
  readonly CLOSED: 3
}

/** `failoverWebSocket` over given sockets. @throws SkeinError `bad-relay-url` */
export function failoverWebSocketOver(sockets: Sockets, relays: readonly string[]): FailoverWebSocketClass {
  if (relays.length === 0) throw new SkeinError('bad-relay-url', 'no relay was given; give at least one URL')
  for (const relay of relays) spaceUrl(relay, 'any')
  const list = [...relays]
  const memory = new ProviderMemory()
  return class extends FailoverSocket {
    constructor(url: string | URL, protocols: string | string[] = []) {
      super(sockets, list, memory, url, protocols)
    }
  }
}
