/** The entry for Node of the WebSocket-shaped class. */
import { NODE_SOCKETS } from '../node-sockets.js'
import { type FailoverWebSocketMaker, failoverWebSocketOver } from './failover.js'

export { SkeinError, type SkeinErrorCode } from '../errors.js'
export type { PathStatus, PathSwitch } from '../types.js'
export type { FailoverWebSocket, FailoverWebSocketClass, FailoverWebSocketMaker } from './failover.js'

export const failoverWebSocket: FailoverWebSocketMaker = (relays) =>
  failoverWebSocketOver(NODE_SOCKETS, relays)
