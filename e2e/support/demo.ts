import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test as base } from '@playwright/test'
import { TestProcess } from './process.js'

const START = path.resolve(import.meta.dirname, '../../demo/scripts/start.mjs')

/** The whole demo as its command starts it, on free ports and data of its own. */
export class DemoProcess {
  /** Of the page; set by `start`. */
  url = ''
  private readonly data = mkdtempSync(path.join(tmpdir(), 'skein-demo-'))
  private readonly process = new TestProcess(START, [
    ...['--port', '0'],
    ...['--relay-port', '0'],
    ...['--data', this.data],
  ])

  async start(): Promise<this> {
    this.url = (await this.printed(/The smart home is at\s+(\S+)/))[1]!
    return this
  }

  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return this.process.printed(pattern)
  }

  end(signal: NodeJS.Signals): Promise<number | null> {
    return this.process.end(signal)
  }

  async dispose(): Promise<void> {
    // Politely, as otherwise nobody would end its relays.
    await this.end('SIGINT')
    rmSync(this.data, { recursive: true, force: true })
  }
}

export const test = base.extend<{ demo: DemoProcess }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names in the pattern
  demo: async ({}, use) => {
    const demo = await new DemoProcess().start()
    await use(demo)
    await demo.dispose()
  },
})
