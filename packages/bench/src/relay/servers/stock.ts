import { setupWSConnection } from '@y/websocket-server/utils'
import { listen, type Server, stopNothing } from './server.js'

/** @y/websocket-server 0.1.1 as its own command starts it, without persistence. */
export async function startStock(): Promise<Server> {
  const { sockets, port } = await listen()
  sockets.on('connection', (socket, request) => setupWSConnection(socket, request))
  return { port, stop: stopNothing }
}
