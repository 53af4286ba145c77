import type { Browser, BrowserContext, Page } from '@playwright/test'
import type { FailoverWebSocket } from '@skein/agent/websocket'
import type { WebsocketProvider } from 'y-websocket'
import type * as Y from 'yjs'
import { expect } from '../support/agents.js'
import { type ClusterProcess, test } from '../support/cluster.js'
import { example, serveScript } from '../support/readme.js'

declare global {
  interface Window {
    doc: Y.Doc
    provider: WebsocketProvider
    statuses: string[]
  }
}

/** What the page adds to the README's example, for the test to look at. */
const FOR_THE_TEST = `
Object.assign(window, { doc, provider, statuses: [] })
provider.on('status', ({ status }) => window.statuses.push(status))
`

// Three relays and two pages of their own share one machine here.
test.describe.configure({ timeout: 120_000 })

test("the README's page with the stock provider goes on over another relay when one is killed", async ({
  browser,
  cluster,
}) => {
  const addresses = cluster.urls.reduce(
    (script, url, i) => script.replaceAll(`ws://127.0.0.1:400${i + 1}`, url),
    example('provider'),
  )
  const served = await serveScript(addresses + FOR_THE_TEST)
  const contexts: BrowserContext[] = []
  try {
    const [a, b] = [await open(browser, served.url, contexts), await open(browser, served.url, contexts)]
    await set(a, 'before', 1)
    await expect.poll(() => get(b, 'before')).toBe(1)
    await a.evaluate(() => window.provider.awareness.setLocalState({ name: 'a' }))
    await expect.poll(() => present(b)).toContain('a')

    const killed = await activeRelay(a, cluster)
    const writing = writeWhile(a, 200)
    await expect.poll(() => get(b, 'k10')).toBe(10)
    await cluster.kill(killed)
    await writing
    await expect.poll(() => get(b, 'k199')).toBe(199)
    expect(await b.evaluate(() => [...window.doc.getMap('state').keys()].length)).toBe(201)
    await set(b, 'back', 1)
    await expect.poll(() => get(a, 'back')).toBe(1)
    await expect.poll(() => present(b)).toContain('a')
    expect(await a.evaluate(() => window.statuses)).toEqual(['connected'])
    expect(await activeRelay(a, cluster)).not.toBe(killed)

    for (const index of [0, 1, 2]) await cluster.kill(index)
    await expect.poll(() => a.evaluate(() => window.statuses)).toContain('disconnected')
    await set(a, 'while down', 1)
    await cluster.startAll()
    await expect.poll(() => get(b, 'while down')).toBe(1)
  } finally {
    await Promise.all(contexts.map((context) => context.close()))
    served.close()
  }
})

/** A page on a device of its own: no BroadcastChannel leads from one to the other. */
async function open(browser: Browser, url: string, contexts: BrowserContext[]): Promise<Page> {
  const context = await browser.newContext()
  contexts.push(context)
  const page = await context.newPage()
  page.on('pageerror', (error) => console.error(error.stack))
  const printed: string[] = []
  page.on('console', (message) => printed.push(message.text()))
  await page.goto(url)
  await expect.poll(() => printed).toContain('{synced: true}')
  // Two copies of yjs in one bundle would warn of each other.
  expect(printed.filter((line) => line.includes('already imported'))).toEqual([])
  return page
}

function set(page: Page, key: string, value: number): Promise<unknown> {
  return page.evaluate(([k, v]) => window.doc.getMap('state').set(k as string, v), [key, value])
}

function get(page: Page, key: string): Promise<unknown> {
  return page.evaluate((k) => window.doc.getMap('state').get(k), key)
}

function present(page: Page): Promise<unknown[]> {
  return page.evaluate(() => [...window.provider.awareness.getStates().values()].map(({ name }) => name))
}

/** Writes one key after the other, each in a task of its own. */
function writeWhile(page: Page, count: number): Promise<void> {
  return page.evaluate(async (n) => {
    for (let i = 0; i < n; i++) {
      window.doc.getMap('state').set(`k${i}`, i)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }, count)
}

/** Which relay of the cluster the page's edits go to. */
async function activeRelay(page: Page, cluster: ClusterProcess): Promise<number> {
  const ports = cluster.urls.map((url) => new URL(url).port)
  const find = async () => {
    const url = await page.evaluate(
      () => (window.provider.ws as FailoverWebSocket).paths.find(({ role }) => role === 'active')?.url,
    )
    return url === undefined ? -1 : ports.indexOf(new URL(url).port)
  }
  await expect.poll(find).toBeGreaterThanOrEqual(0)
  return find()
}
