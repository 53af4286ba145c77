import { createServer, type Server } from 'node:http'
import { extname } from 'node:path'
import { build } from 'vite'
import { LAB_PATH } from '../model/lab.js'
import type { Lab } from './lab.js'
import { DEMO_DIR } from './options.js'
import { HOST } from './ports.js'

type Files = ReadonlyMap<string, string | Uint8Array>

/**
 * Builds the page in memory, so that several demos of one checkout don't write over each other, with
 * the ports at which agents reach the relays inside. A finished build and no dev server: tabs never reload under somebody's hands.
 */
export async function buildPage(relayPorts: readonly number[]): Promise<Files> {
  const result = await build({
    root: DEMO_DIR,
    logLevel: 'error',
    build: { write: false },
    define: { 'import.meta.env.VITE_RELAY_PORTS': JSON.stringify(relayPorts.join(',')) },
  })
  const outputs = Array.isArray(result) ? result : [result]
  const files = new Map<string, string | Uint8Array>()
  for (const output of outputs) {
    if (!('output' in output)) continue
    for (const file of output.output) {
      files.set(`/${file.fileName}`, file.type === 'chunk' ? file.code : file.source)
    }
  }
  return files
}

/** Serves the files as soon as they are there, and the lab if there is one. @throws Error if the port is taken */
export function servePage(building: Promise<Files>, port: number, lab?: Lab): Promise<Server> {
  const server = createServer(async (request, response) => {
    const path = (request.url ?? '/').replace(/[?#].*$/, '')
    if (lab !== undefined && path === LAB_PATH) return lab.answer(request, response)
    const files = await building.catch((): Files => new Map())
    const name = path === '/' ? '/index.html' : path
    const content = files.get(name)
    if (content === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n')
      return
    }
    // Names of assets carry their content's hash; the page itself names the assets and must be fresh.
    const cache = name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
    response.writeHead(200, {
      'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
      'cache-control': cache,
    })
    response.end(content)
  })
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`Port ${port} for the page is in use. Choose another one with --port.`)
          : error,
      ),
    )
    server.listen(port, HOST, () => resolve(server))
  })
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
}
