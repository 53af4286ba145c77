import type { WebSocket } from 'ws'
import { listen, type Server, stopNothing } from './server.js'

/** The yardstick: forwards each frame as it is to the others of its room, and does nothing else. */
export async function startBare(): Promise<Server> {
  const { sockets, port } = await listen({ perMessageDeflate: false })
  const rooms = new Map<string, Set<WebSocket>>()
  sockets.on('connection', (socket, request) => {
    const room = (request.url ?? '').split('?')[0]!
    const members = rooms.get(room) ?? new Set()
    rooms.set(room, members.add(socket))
    socket.on('message', (frame) => {
      for (const member of members) if (member !== socket) member.send(frame as Buffer)
    })
    socket.on('close', () => members.delete(socket))
  })
  return { port, stop: stopNothing }
}
