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
    const [, first] = await demo.printed(/r1 {2}(ws:\S+)/)
    const [, third, thirdPid] = await demo.printed(/r3 {2}(ws:\S+) +kill -9 (\d+)/)
    await page.goto(url!)
    await expect(page.getByTestId('convergence')).toHaveText('converged 2/2')
    await expect(page.getByTestId('tile-light.kitchen')).toBeVisible()

    // A relay may die; the demo says what that means, and goes on.
    process.kill(Number(thirdPid), 'SIGKILL')
    await demo.printed(/The relay r3 was ended by SIGKILL. The other two are a majority/)
    await expect(fetch(third!.replace('ws:', 'http:'))).rejects.toThrow()
    await expect(page.getByTestId('tile-lock.front_door')).toBeVisible()

    expect(await demo.end('SIGINT')).toBe(0)
    // Nothing listens any more: the page's own server, and the relays, which were processes of their own.
    await expect(fetch(url!)).rejects.toThrow()
    await expect(fetch(first!.replace('ws:', 'http:'))).rejects.toThrow()
  } finally {
    await demo.end('SIGKILL')
    rmSync(data, { recursive: true, force: true })
  }
})
