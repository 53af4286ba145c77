import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { TestProcess } from '../support/process.js'

const START = path.resolve(import.meta.dirname, '../../demo/scripts/start.mjs')

test('the demo starts, shows the home, and stops everything on Ctrl-C', async ({ page }) => {
  const data = mkdtempSync(path.join(tmpdir(), 'skein-demo-'))
  const demo = new TestProcess(START, ['--port', '0', '--relay-port', '0', '--data', data])
  try {
    const [, url] = await demo.printed(/The smart home is at\s+(\S+)/)
    const [, relay] = await demo.printed(/The relay is at (ws:\S+?),/)
    await page.goto(url!)
    await expect(page.getByTestId('convergence')).toHaveText('converged 2/2')
    await expect(page.getByTestId('tile-light.kitchen')).toBeVisible()
    expect(await demo.end('SIGINT')).toBe(0)
    // Nothing listens any more: the page's own server, and the relay, which was another process.
    await expect(fetch(url!)).rejects.toThrow()
    await expect(fetch(relay!.replace('ws:', 'http:'))).rejects.toThrow()
  } finally {
    await demo.end('SIGKILL')
    rmSync(data, { recursive: true, force: true })
  }
})
