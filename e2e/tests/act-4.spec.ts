import type { AgentPage } from '../support/agents.js'
import { expect, expectConverged } from '../support/agents.js'
import { test } from '../support/cluster.js'
import { DragWitness, SliderDrag } from '../support/drag.js'

// Two pages and four processes of their own share one machine here.
test.describe.configure({ timeout: 120_000 })

const SLIDER = 'light.living_ceiling-brightness'
const KEY = 'desired/light.living_ceiling/brightness'
/** What the act promises, whatever else the machine does. */
const WITHIN_MS = 1_000

test('act 4: a relay is killed in the middle of a drag: another path within a second, nothing lost', async ({
  join,
  cluster,
  devices,
}) => {
  const tablet = await join('Tablet', { relay: cluster.urls })
  const phone = await join('Phone', { relay: cluster.urls })
  await expect(tablet.page.getByTestId('convergence')).toHaveText('converged 3/3')
  await expect.poll(() => pathsInUse(tablet)).toEqual(['active', 'standby'])
  const witness = await DragWitness.begin(phone, 'Tablet')
  const drag = await SliderDrag.begin(tablet, SLIDER, KEY)
  await drag.until(async () => (await witness.arrived()).length >= 10)

  const chosenMs = Date.now()
  const victim = (await tablet.paths()).find(({ role }) => role === 'active')!
  const killedMs = Date.now()
  const killing = cluster.kill(cluster.urls.findIndex((url) => victim.url.startsWith(`${url}/`)))
  await drag.until(async () => {
    const after = new Set((await drag.made()).filter(({ atMs }) => atMs > killedMs).map(({ n }) => n))
    return (await witness.arrived()).filter(({ n }) => after.has(n)).length >= 10
  })
  await drag.end()
  await killing

  // The first one counts; later it may go on to a path that has turned out better.
  const taken = (await drag.switches()).find(({ from, at }) => from === victim.url && at >= chosenMs)!
  expect(taken.at - killedMs).toBeLessThanOrEqual(WITHIN_MS)
  expect(taken.to).toBeDefined()
  const made = await drag.made()
  const firstAfter = made.find(({ atMs }) => atMs > killedMs)!
  const arrival = (await witness.arrived()).find(({ n }) => n >= firstAfter.n)!
  expect(arrival.atMs - firstAfter.atMs).toBeLessThanOrEqual(WITHIN_MS)

  // Every single edit is on a relay's disk and at the other agent, to which the tablet was never gone.
  await tablet.durable('relay')
  const numbers = made.map(({ n }) => n)
  await expect
    .poll(async () => (await witness.arrived()).map(({ n }) => n).sort((a, b) => a - b))
    .toEqual(numbers)
  expect(await tablet.status('queued')).toBe(0)
  expect(await witness.absences()).toBe(0)
  // Their sensors would go on meanwhile.
  await devices.end('SIGTERM')
  await expectConverged(tablet, phone)
})

test('a page whose server has no lab shows its paths, and nothing to disturb them with', async ({
  join,
  cluster,
}) => {
  const tablet = await join('Tablet', { relay: cluster.urls, at: '#/lab' })
  await expect(tablet.page.getByTestId('paths').getByRole('listitem')).toHaveCount(3)
  await expect(tablet.page.getByTestId('paths').getByRole('button')).toHaveCount(0)
  await expect(tablet.page.getByTestId('act-4-play')).toBeDisabled()
})

async function pathsInUse(agent: AgentPage): Promise<string[]> {
  const paths = await agent.paths()
  return paths
    .filter(({ state }) => state === 'good')
    .map(({ role }) => role)
    .sort()
}
