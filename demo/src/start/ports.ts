import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export const HOST = '127.0.0.1'

const RELAY_PORT_DEFAULT = 1234

/**
 * Where agents reach the first relay: the given port, which must be free; without one 1234, or any free port.
 * @throws Error if the given port is taken
 */
export async function chooseRelayPort(wanted: number | undefined): Promise<number> {
  if (wanted !== undefined && wanted !== 0) {
    if ((await tryPort(wanted)) === undefined) {
      throw new Error(`Port ${wanted} for the relay is in use. Choose another one with --relay-port.`)
    }
    return wanted
  }
  const preferred = wanted === 0 ? undefined : await tryPort(RELAY_PORT_DEFAULT)
  const port = preferred ?? (await tryPort(0))
  if (port === undefined) throw new Error('No free port was found for the relay.')
  return port
}

/** Any free ports, all different. @throws Error if there are none */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  // The system hands a port out again now and then, so there are more attempts than ports.
  for (let attempt = 0; attempt < count * 10 && ports.size < count; attempt++) {
    const port = await tryPort(0)
    if (port !== undefined) ports.add(port)
  }
  if (ports.size < count) throw new Error('No free port was found for a relay.')
  return [...ports]
}

/** Resolves when something listens on the port; rejects when `signal` aborts, or after `timeoutMs`. */
export async function whenListening(port: number, signal: AbortSignal, timeoutMs = 20_000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await listens(port))) {
    if (Date.now() > end) throw new Error(`Nothing answered on port ${port} within ${timeoutMs / 1000} s.`)
    await sleep(40, undefined, { signal })
  }
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, HOST, () => {
      const address = server.address()
      const got = typeof address === 'object' && address ? address.port : undefined
      server.close(() => resolve(got))
    })
  })
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST)
    const answer = (yes: boolean) => {
      socket.destroy()
      resolve(yes)
    }
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
  })
}
