/** The entry for browsers of the WebSocket-shaped class. */
import { BROWSER_SOCKETS } from '../browser-sockets.js'
import { type FailoverWebSocketClass, failoverWebSocketOver } from './failover.js'

export { SkeinError, type SkeinErrorCode } from '../errors.js'
export type { PathStatus, PathSwitch } from '../types.js'
export type { FailoverWebSocket, FailoverWebSocketClass } from './failover.js'

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
export function failoverWebSocket(relays: readonly string[]): FailoverWebSocketClass {
  return failoverWebSocketOver(BROWSER_SOCKETS, relays)
}
