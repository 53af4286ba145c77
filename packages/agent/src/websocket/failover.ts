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

/** What `failoverWebSocket` of either entry is. */
export interface FailoverWebSocketMaker {
  /**
   * Makes a `WebSocket` class that leads to whichever of several relays can be reached: failover for an application
   * that keeps its stock `WebsocketProvider`. A connection stays open, and the provider synced, while relays of the
   * list come and go; it closes when none can be reached, and with a final code (4400 to 4499, at which stock
   * providers stop) when all refuse.
   *
   * Make one for each document, where its provider is made: the class remembers which history of its space the
   * document belongs to, and refuses relays with another one (4409).
   * @param relays of one cluster, or plain y-websocket servers that share their documents, as `ws:` or `wss:`
   *   URLs in order of preference. The server that the provider is given only matters as the beginning of the URL:
   *   what follows is the room. Parameters and subprotocols of the provider are used with each relay.
   * @example
   * const relays = ['wss://a.example', 'wss://b.example', 'wss://c.example']
   * const provider = new WebsocketProvider(relays[0], 'home', doc, {
   *   WebSocketPolyfill: failoverWebSocket(relays),
   * })
   * @throws SkeinError `bad-relay-url`
   */
  // biome-ignore lint/style/useShorthandFunctionType: editors show at a call what is said of a call signature
  (relays: readonly string[]): FailoverWebSocketClass
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
