/** The entry for browsers of the WebSocket-shaped class. */
import { BROWSER_SOCKETS } from '../browser-sockets.js'
import { type FailoverWebSocketMaker, failoverWebSocketOver } from './failover.js'

export { SkeinError, type SkeinErrorCode } from '../errors.js'
export type { PathStatus, PathSwitch } from '../types.js'
export type { FailoverWebSocket, FailoverWebSocketClass, FailoverWebSocketMaker } from './failover.js'

export const failoverWebSocket: FailoverWebSocketMaker = (relays) =>
  failoverWebSocketOver(BROWSER_SOCKETS, relays)
