import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { build } from 'esbuild'

const README = readFileSync(path.resolve(import.meta.dirname, '../../README.md'), 'utf8')

/** An example of the README, word for word. */
export function example(name: string): string {
  const match = new RegExp(`<!-- example: ${name} -->\\n\`\`\`js\\n([\\s\\S]*?)\`\`\``).exec(README)
  if (match === null) throw new Error(`the README has no example "${name}"`)
  return match[1]!
}

/** Bundles a script as an application would, and serves a page that runs it. */
export async function serveScript(contents: string): Promise<{ url: string; close: () => void }> {
  const script = await build({
    // Inside this package, so that the imports resolve as an application's would.
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    // As bundlers of applications do; y-protocols ships both kinds.
    mainFields: ['browser', 'module', 'main'],
  })
  const server = createServer((request, response) => {
    const isScript = request.url === '/script.js'
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' })
    response.end(isScript ? script.outputFiles[0]!.text : '<script type="module" src="/script.js"></script>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
