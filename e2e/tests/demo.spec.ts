import { expect } from '@playwright/test'
import { test } from '../support/demo.js'

test('the demo starts, shows the home, and stops everything on Ctrl-C', async ({ page, demo }) => {
  const [, behind] = await demo.printed(/r1 +relay +(ws:\S+)/)
  const [, first] = await demo.printed(/r1 {2}(ws:\S+)/)
  const [, third, thirdPid] = await demo.printed(/r3 {2}(ws:\S+) +kill -9 (\d+)/)
  await page.goto(demo.url)
  await expect(page.getByTestId('convergence')).toHaveText('converged 2/2')
  await expect(page.getByTestId('tile-light.kitchen')).toBeVisible()

  // A relay may die; the demo says what that means, and goes on.
  process.kill(Number(thirdPid), 'SIGKILL')
  await demo.printed(/The relay r3 was ended by SIGKILL. The other two are a majority/)
  await expect(fetch(third!.replace('ws:', 'http:'))).rejects.toThrow()
  await expect(page.getByTestId('tile-lock.front_door')).toBeVisible()

  expect(await demo.end('SIGINT')).toBe(0)
  // Nothing listens any more: the page's own server, the lines, and the relays, which were processes of their own.
  await expect(fetch(demo.url)).rejects.toThrow()
  for (const url of [first!, behind!]) await expect(fetch(url.replace('ws:', 'http:'))).rejects.toThrow()
})
