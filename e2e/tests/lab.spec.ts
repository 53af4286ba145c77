import { expect, type Page } from '@playwright/test'
import { test } from '../support/demo.js'

// The whole demo, and a page or two, share one machine here.
test.describe.configure({ timeout: 120_000 })

test('act 4 as the lab plays it, and the relay is there again afterwards', async ({ page, demo }) => {
  await openLab(page, demo.url)
  await page.getByTestId('act-4-play').click()
  const verdict = page.getByTestId('act-4-verdict')
  await expect(verdict).toHaveAttribute('data-holds', /true|false/, { timeout: 60_000 })
  await expect(page.getByTestId('act-4-lines')).toContainText('61 of 61 edits')
  await expect(verdict).toHaveText(/^Another path after \d+ ms, and none of 61 edits is lost\.$/)
  for (const id of ['r1', 'r2', 'r3']) await expect(page.getByTestId(`${id}-kill`)).toBeVisible()
})

test('the lab kills the relay in use: another path takes over and is told; started again, it serves again', async ({
  page,
  demo,
}) => {
  await openLab(page, demo.url)
  const victim = await inUse(page)
  await page.getByTestId(`${victim}-kill`).click()
  await expect(path(page, victim)).toHaveAttribute('data-role', 'none')
  await expect(page.getByTestId('last-switch')).toHaveText(new RegExp(`^${victim} closed, r\\d took over`))
  await expect(page.getByTestId('switch-announced')).toHaveText(/took over\.$/)
  await demo.printed(new RegExp(`The relay ${victim} was ended by SIGKILL`))
  await page.getByTestId(`${victim}-start`).click()
  await expect(page.getByTestId(`${victim}-kill`)).toBeVisible()

  // With the other two gone it has to be the one that is used.
  for (const other of ['r1', 'r2', 'r3'].filter((id) => id !== victim)) {
    await page.getByTestId(`${other}-kill`).click()
    await expect(page.getByTestId(`${other}-start`)).toBeVisible()
  }
  await expect(path(page, victim)).toHaveAttribute('data-role', 'active')
})

test('the lab makes the line in use silent: another path takes over, and nothing is lost', async ({
  page,
  demo,
}) => {
  await openLab(page, demo.url)
  const victim = await inUse(page)
  await page.getByTestId(`${victim}-line-silent`).check({ force: true })
  await page.evaluate(() => window.skein!.space.set('test/silent', 1))
  // Or it is found to be worse than another before it counts as silent.
  await expect(path(page, victim)).not.toHaveAttribute('data-role', 'active')
  await expect(page.getByTestId('last-switch')).toContainText('took over')
  await page.evaluate(() => window.skein!.space.durable('relay'))
  await page.getByTestId(`${victim}-line-normal`).check({ force: true })
  await expect(path(page, victim)).toHaveAttribute('data-state', /good|idle/)
})

test('the lab slows a line: its round trip shows it, and a quicker path is in use', async ({
  page,
  demo,
}) => {
  await openLab(page, demo.url)
  const victim = await inUse(page)
  await page.getByTestId(`${victim}-line-slow`).check({ force: true })
  // While nothing is sent, nobody has a reason to look.
  const writing = await page.evaluateHandle(() =>
    setInterval(() => window.skein!.space.set('test/slow', Math.random()), 100),
  )
  await expect(path(page, victim)).not.toHaveAttribute('data-role', 'active')
  await expect
    .poll(() =>
      page.evaluate(() => {
        const { paths } = window.skein!.space.status
        return Math.max(...paths.map(({ roundTripMs }) => roundTripMs ?? 0))
      }),
    )
    .toBeGreaterThan(150)
  await page.evaluate((timer) => clearInterval(timer), writing)
})

async function openLab(page: Page, url: string): Promise<void> {
  await page.goto(`${url}?agent=Tablet#/lab`)
  await expect(page.getByTestId('warm')).toHaveAttribute('data-warm', 'true')
}

function path(page: Page, id: string) {
  return page.getByTestId(`path-${id}`)
}

/** The id of the relay that edits go over. */
async function inUse(page: Page): Promise<string> {
  const active = page.locator('[data-testid^="path-r"][data-role="active"]')
  await expect(active).toHaveCount(1)
  return (await active.getAttribute('data-testid'))!.replace('path-', '')
}
