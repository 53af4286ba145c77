import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from '@playwright/test'
import { build } from 'esbuild'
import { TestProcess } from '../support/process.js'
import { RelayProcess } from '../support/relay-process.js'

const README = readFileSync(path.resolve(import.meta.dirname, '../../README.md'), 'utf8')

/** An example of the README, word for word but for the relay's address and the place of the replica. */
function example(name: string, relay: string, directory: string): string {
  const match = new RegExp(`<!-- example: ${name} -->\\n\`\`\`js\\n([\\s\\S]*?)\`\`\``).exec(README)
  if (match === null) throw new Error(`the README has no example "${name}"`)
  return match[1]!.replaceAll('ws://127.0.0.1:1234', relay).replaceAll('./replica', `${directory}/replica`)
}

test('the examples of the README do what they say, in a tab and in Node', async ({ page }) => {
  const relay = await new RelayProcess().start()
  // Inside this package, so that the imports resolve as an application's would.
  const directory = mkdtempSync(path.join(import.meta.dirname, '../.readme-'))
  try {
    const tab = await build({
      stdin: { contents: example('tab', relay.url, directory), resolveDir: directory },
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      // As bundlers of applications do; y-protocols ships both kinds.
      mainFields: ['browser', 'module', 'main'],
    })
    const server = createServer((request, response) => {
      const script = request.url === '/tab.js'
      response.writeHead(200, { 'content-type': script ? 'text/javascript' : 'text/html' })
      response.end(script ? tab.outputFiles[0]!.text : '<script type="module" src="/tab.js"></script>')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const printed: string[] = []
    page.on('console', (message) => printed.push(message.text()))
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await expect.poll(() => printed).toContain('saved')
    expect(printed[0]).toContain('light/kitchen')
    server.close()
    server.closeAllConnections()

    const script = path.join(directory, 'node-example.mjs')
    writeFileSync(script, example('node', relay.url, directory))
    const node = new TestProcess(script, [])
    expect(await node.exited).toBe(0)
    expect(stripVTControlCharacters(node.output)).toBe('{ on: true }\n')

    const strongScript = path.join(directory, 'strong-example.mjs')
    writeFileSync(strongScript, example('strong', relay.url, directory))
    const strong = new TestProcess(strongScript, [])
    expect(await strong.exited).toBe(0)
    expect(stripVTControlCharacters(strong.output)).toBe('true\n')
  } finally {
    rmSync(directory, { recursive: true, force: true })
    await relay.dispose()
  }
})
