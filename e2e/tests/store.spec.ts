import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@playwright/test'
import { build } from 'esbuild'
import type {} from '../../packages/agent/test/store/browser-suite.js'

let server: Server
let origin = ''

test.beforeAll(async () => {
  const suite = await bundleSuite()
  // IndexedDB belongs to an origin, which a page from a file or a string does not have.
  server = createServer((request, response) => {
    const isSuite = request.url === '/suite.js'
    response.setHeader('content-type', isSuite ? 'text/javascript' : 'text/html')
    response.end(isSuite ? suite : '<!doctype html><script type="module" src="/suite.js"></script>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

test.afterAll(() => new Promise((resolve) => server.close(resolve)))

test('every store rule holds on the IndexedDB of a browser, and y-indexeddb shares its databases', async ({
  page,
}) => {
  await page.goto(origin)
  const results = await page.waitForFunction(() => window.storeSuiteResults)
  const all = (await results.jsonValue()) ?? []
  expect(all.length).toBeGreaterThan(15)
  expect(all.filter(({ error }) => error !== undefined)).toEqual([])
})

test('an append after the browser cleared the site data says so, and a new store works', async ({ page }) => {
  await page.goto(origin)
  await page.waitForFunction(() => window.storeSuiteResults)
  const store = await page.evaluateHandle(() => window.openIndexedDbStore!('cleared'))
  await store.evaluate((opened) => opened.append(Uint8Array.of(0, 0), 1))
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' })
  const code = await store.evaluate((opened) =>
    opened.append(Uint8Array.of(0, 0), 2).then(
      () => 'stored',
      (error: { code?: string }) => error.code,
    ),
  )
  expect(code).toBe('store-unavailable')
  const loaded = await page.evaluate(async () => {
    const fresh = await window.openIndexedDbStore!('cleared')
    await fresh.append(Uint8Array.of(0, 0), 3)
    return fresh.load()
  })
  expect(loaded.queued).toBe(3)
})

/** The suite and all it needs as one module, resolved as a bundler for browsers does. */
async function bundleSuite(): Promise<Uint8Array> {
  const entry = new URL('../../packages/agent/test/store/browser-suite.ts', import.meta.url)
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['browser'],
  })
  return outputFiles[0]!.contents
}
