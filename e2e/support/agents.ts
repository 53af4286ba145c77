import { type Browser, type BrowserContext, test as base, expect, type Page } from '@playwright/test'
import * as Y from 'yjs'
import { RelayProcess } from './relay-process.js'

interface Joining {
  /** Several relays, e.g. of a cluster, are given in order of preference. */
  readonly relay?: RelayProcess | readonly string[] | 'none'
  /** The page's place, e.g. `#/security`. */
  readonly at?: string
  /** Pages of one context share IndexedDB and BroadcastChannel, as the tabs of one device do. */
  readonly context?: BrowserContext
}

/** A page of the demo that takes part in the space under test. */
export class AgentPage {
  constructor(
    readonly page: Page,
    readonly name: string,
  ) {}

  async set(key: string, value: unknown): Promise<void> {
    await this.page.evaluate(([k, v]) => window.skein!.space.set(k as string, v as never), [key, value])
  }

  get(key: string): Promise<unknown> {
    return this.page.evaluate((k) => window.skein!.space.get(k), key)
  }

  status<K extends 'queued' | 'unsaved' | 'connection' | 'tabs' | 'store'>(field: K): Promise<unknown> {
    return this.page.evaluate((f) => window.skein!.space.status[f], field)
  }

  /** The paths of this agent, each with what it is there for and how it is. */
  paths(): Promise<{ url: string; role: string; state: string }[]> {
    return this.page.evaluate(() =>
      window.skein!.space.status.paths.map(({ url, role, state }) => ({ url, role, state })),
    )
  }

  durable(tier: 'local' | 'relay'): Promise<void> {
    return this.page.evaluate((t) => window.skein!.space.durable(t), tier)
  }

  digest(): Promise<string> {
    return this.page.evaluate(() => window.skein!.space.digest())
  }

  async offline(off: boolean): Promise<void> {
    const control = this.page.getByTestId('offline-switch').first()
    await control.setChecked(off)
    await expect.poll(() => this.status('connection')).toBe(off ? 'offline' : 'live')
  }

  /** State vector, delete set and content, worked out here from the page's whole document. */
  async fingerprint(): Promise<unknown> {
    const bytes = await this.page.evaluate(() => Array.from(window.skein!.encode()))
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Uint8Array.from(bytes))
    return {
      stateVector: [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort((a, b) => a[0] - b[0]),
      deleteSet: [...Y.createDeleteSetFromStructStore(doc.store).clients].sort((a, b) => a[0] - b[0]),
      json: doc.getMap('state').toJSON(),
    }
  }
}

/** Waits until all hold the same document, and checks that by state vector, delete set and JSON. */
export async function expectConverged(...agents: AgentPage[]): Promise<unknown> {
  await expect
    .poll(async () => new Set(await Promise.all(agents.map((agent) => agent.digest()))).size)
    .toBe(1)
  const [first, ...rest] = await Promise.all(agents.map((agent) => agent.fingerprint()))
  for (const other of rest) expect(other).toEqual(first)
  return (first as { json: unknown }).json
}

interface Fixtures {
  relay: RelayProcess
  space: string
  join: (name: string, options?: Joining) => Promise<AgentPage>
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names in the pattern
  relay: async ({}, use) => {
    const relay = await new RelayProcess().start()
    await use(relay)
    await relay.dispose()
  },
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names in the pattern
  space: async ({}, use, info) => {
    await use(`test-${info.testId}-${info.repeatEachIndex}`)
  },
  join: async ({ browser, relay, space }, use) => {
    const contexts: BrowserContext[] = []
    await use(async (name, options = {}) => {
      const context = options.context ?? (await newDevice(browser, contexts))
      const page = await context.newPage()
      page.on('pageerror', (error) => console.error(`${name}: ${error.stack}`))
      const url = new URL(process.env.SKEIN_PAGE!)
      const at = options.relay ?? relay
      url.searchParams.set('agent', name)
      url.searchParams.set('space', space)
      url.searchParams.set(
        'relay',
        at === 'none' ? 'none' : at instanceof RelayProcess ? at.url : at.join(','),
      )
      url.hash = options.at ?? ''
      await page.goto(url.href)
      await page.waitForFunction(() => window.skein !== undefined)
      const agent = new AgentPage(page, name)
      if (at !== 'none') await expect.poll(() => agent.status('connection')).toBe('live')
      return agent
    })
    await Promise.all(contexts.map((context) => context.close()))
  },
})

async function newDevice(browser: Browser, contexts: BrowserContext[]): Promise<BrowserContext> {
  const context = await browser.newContext()
  contexts.push(context)
  return context
}

export { expect }
