import { createRelay } from '@skein/relay'
import type { Server } from './server.js'

/** This project's relay, with its log on disk. */
export async function startSkein(dataDir: string): Promise<Server> {
  const relay = await createRelay({ dataDir })
  return { port: relay.port, stop: () => relay.close() }
}
