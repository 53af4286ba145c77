import { readFileSync } from 'node:fs'
import path from 'node:path'
import { decodeFrame, encodeFrame } from '@skein/protocol'
import { listen, type Server, stopNothing } from './server.js'

/** The name of the stored update in the data directory. */
export const BLOB_FILE = 'blob'

/**
 * The yardstick of joining: answers each step 1 with one stored update, read at the first and kept in
 * memory from then on. No server that keeps a document on disk can do less.
 */
export async function startBlob(dataDir: string): Promise<Server> {
  const { sockets, port } = await listen({ perMessageDeflate: false })
  let stored: Uint8Array | undefined
  sockets.on('connection', (socket) => {
    socket.on('message', (frame: Buffer) => {
      if (decodeFrame(frame).type !== 'sync-step-1') return
      stored ??= encodeFrame({ type: 'sync-step-2', update: readFileSync(path.join(dataDir, BLOB_FILE)) })
      socket.send(stored)
    })
  })
  return { port, stop: stopNothing }
}
