import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from '@playwright/test'
import { ClusterProcess } from '../support/cluster.js'
import { TestProcess } from '../support/process.js'
import { example, serveScript } from '../support/readme.js'
import { RelayProcess } from '../support/relay-process.js'

/** An example of the README, word for word but for the relay's address and the place of the replica. */
function exampleAt(name: string, relay: string, directory: string): string {
  return example(name)
    .replaceAll('ws://127.0.0.1:1234', relay)
    .replaceAll('./replica', `${directory}/replica`)
}

test('the examples of the README do what they say, in a tab and in Node', async ({ page }) => {
  const relay = await new RelayProcess().start()
  // Inside this package, so that the imports resolve as an application's would.
  const directory = mkdtempSync(path.join(import.meta.dirname, '../.readme-'))
  try {
    const tab = await serveScript(exampleAt('tab', relay.url, directory))
    const printed: string[] = []
    page.on('console', (message) => printed.push(message.text()))
    await page.goto(tab.url)
    await expect.poll(() => printed).toContain('saved')
    expect(printed[0]).toContain('light/kitchen')
    tab.close()

    const script = path.join(directory, 'node-example.mjs')
    writeFileSync(script, exampleAt('node', relay.url, directory))
    const node = new TestProcess(script, [])
    expect(await node.exited).toBe(0)
    expect(stripVTControlCharacters(node.output)).toBe('{ on: true }\n')

    const strongScript = path.join(directory, 'strong-example.mjs')
    writeFileSync(strongScript, exampleAt('strong', relay.url, directory))
    const strong = new TestProcess(strongScript, [])
    expect(await strong.exited).toBe(0)
    expect(stripVTControlCharacters(strong.output)).toBe('true\n')
  } finally {
    rmSync(directory, { recursive: true, force: true })
    await relay.dispose()
  }
})

test('the example of several relays does what it says', async () => {
  const cluster = await new ClusterProcess().start()
  const directory = mkdtempSync(path.join(import.meta.dirname, '../.readme-'))
  try {
    const given = [4001, 4002, 4003].map((port) => `ws://127.0.0.1:${port}`)
    const script = path.join(directory, 'paths-example.mjs')
    const contents = given.reduce((text, url, i) => text.replaceAll(url, cluster.urls[i]!), example('paths'))
    writeFileSync(script, contents)
    const node = new TestProcess(script, [])
    expect(await node.exited).toBe(0)
    expect(stripVTControlCharacters(node.output)).toMatch(/^active quorum\n/)
  } finally {
    rmSync(directory, { recursive: true, force: true })
    await cluster.dispose()
  }
})
