/**
 * One contender, alone in its process, so that its CPU time and memory can be told from everybody
 * else's. Started by `contender.ts`; speaks with it over IPC.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRelay } from '@skein/relay'
import { setupWSConnection } from '@y/websocket-server/utils'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ContenderName, Reply, Request } from './contender.js'

const [name, dataDir] = process.argv.slice(2) as [ContenderName, string]
const STARTERS: Record<ContenderName, () => Promise<number>> = { bare, stock, skein }
const port = await STARTERS[name]()
reply({ port })

process.on('message', ({ ask }: Request) => {
  if (ask === 'collect') globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  reply({
    cpuUs: user + system,
    rssBytes: process.memoryUsage.rss(),
    rssMaxBytes: process.resourceUsage().maxRSS * 1024,
  })
})

function reply(message: Reply): void {
  process.send!(message)
}

/** The yardstick: forwards each frame as it is to the others of its room, and does nothing else. */
async function bare(): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  const rooms = new Map<string, Set<WebSocket>>()
  server.on('connection', (socket, request) => {
    const room = (request.url ?? '').split('?')[0]!
    const members = rooms.get(room) ?? new Set()
    rooms.set(room, members.add(socket))
    socket.on('message', (frame) => {
      for (const member of members) if (member !== socket) member.send(frame as Buffer)
    })
    socket.on('close', () => members.delete(socket))
  })
  await new Promise((resolve) => server.once('listening', resolve))
  return (server.address() as AddressInfo).port
}

/** @y/websocket-server 0.1.1 as its own command starts it, without persistence. */
async function stock(): Promise<number> {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  sockets.on('connection', (socket, request) => setupWSConnection(socket, request))
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws, request))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** This project's relay, with its log on disk. */
async function skein(): Promise<number> {
  return (await createRelay({ dataDir })).port
}
