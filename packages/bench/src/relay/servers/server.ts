import type { AddressInfo } from 'node:net'
import { type ServerOptions, WebSocketServer } from 'ws'

/** A contender's server, in its own process. */
export interface Server {
  readonly port: number
  /** Resolves when everything that it keeps on disk is there. */
  stop(): Promise<void>
}

/** A `ws` server on a free port of this machine. */
export async function listen(
  options: ServerOptions = {},
): Promise<{ sockets: WebSocketServer; port: number }> {
  const sockets = new WebSocketServer({ ...options, port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => sockets.once('listening', resolve))
  return { sockets, port: (sockets.address() as AddressInfo).port }
}

/** For servers that keep nothing. */
export async function stopNothing(): Promise<void> {}
