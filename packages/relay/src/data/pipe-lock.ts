import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { RelayError } from '../errors.js'
import type { Lock } from './exclusive-lock.js'

/**
 * The lock on Windows: a named pipe exists once and goes with its process, so there are no dead ones.
 * @throws RelayError `data-in-use`
 */
export async function holdPipe(directory: string): Promise<Lock> {
  // Paths differ in case and still name the same directory there.
  const id = createHash('sha256').update(directory.toLowerCase()).digest('hex').slice(0, 32)
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const what = `another relay runs on ${directory}`
      const message = `${what}. Stop it, or give this one a directory of its own`
      reject(new RelayError('data-in-use', message, { cause }))
    })
    server.listen(`\\\\.\\pipe\\skein-relay-${id}`, resolve)
  })
  server.unref()
  return {
    async release() {
      server.close()
    },
  }
}
