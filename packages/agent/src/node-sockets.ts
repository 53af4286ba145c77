import { WebSocket } from 'ws'
import type { Socket, Sockets } from './platform.js'

/** How long a relay may take to answer the close of a connection. */
const CLOSE_WITHIN_MS = 1_000

/** Connections in Node. */
export const NODE_SOCKETS: Sockets = {
  connect(url, protocols = []) {
    const socket = new WebSocket(url, [...protocols], { perMessageDeflate: false })
    socket.binaryType = 'arraybuffer'
    const close = socket.close.bind(socket)
    // A relay that hangs never answers the close, and `ws` would keep the process for half a minute.
    socket.close = (code, reason) => {
      close(code, reason)
      setTimeout(() => socket.terminate(), CLOSE_WITHIN_MS).unref()
    }
    return socket as Socket
  },
  watch: () => () => {},
}
