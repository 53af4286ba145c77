import type { Locator } from '@playwright/test'
import type { AgentPage } from '../support/agents.js'
import { expect } from '../support/agents.js'
import { test } from '../support/cluster.js'

// Four pages and four processes of their own share one machine here.
test.describe.configure({ timeout: 120_000 })

const AT = '#/security'
const DOOR = 'tile-lock.front_door'

test('a hold unlocks the door everywhere, with its version and fence; letting go early does nothing', async ({
  join,
  cluster,
  devices,
}) => {
  expect(devices.output).toContain('ready')
  const tablet = await join('Tablet', { relay: cluster.urls, at: AT })
  const phone = await join('Phone', { relay: cluster.urls, at: AT })
  await expect(door(tablet)).toHaveAttribute('data-version', '0')
  await letGoEarly(tablet, 'lock.front_door-unlock')

  // Had letting go early done anything, this would find another button, and be the second version.
  await hold(tablet, 'lock.front_door-unlock')
  for (const agent of [tablet, phone]) {
    await expect(door(agent)).toHaveAttribute('data-state', 'unlocked')
    await expect(door(agent)).toHaveAttribute('data-version', '1')
    await expect.poll(() => agent.get('reported/lock.front_door/state')).toBe('unlocked')
  }
  await expect(tablet.page.getByTestId('last-round')).toContainText('reports unlocked')
  await phone.page.getByTestId('lock.front_door-lock').click()
  await expect(door(tablet)).toHaveAttribute('data-state', 'locked')
  await expect.poll(() => tablet.get('reported/lock.front_door/state')).toBe('locked')
})

test('the door is unlocked by keyboard, too', async ({ join, cluster, devices }) => {
  expect(devices.output).toContain('ready')
  const tablet = await join('Tablet', { relay: cluster.urls, at: AT })
  await tablet.page.getByTestId('lock.front_door-unlock').focus()
  await tablet.page.keyboard.down('Space')
  await expect(door(tablet)).toHaveAttribute('data-state', 'unlocked')
  await tablet.page.keyboard.up('Space')
})

test('act 2: offline, a lamp changes and merges on return; an unlock says that it needs a majority', async ({
  join,
  cluster,
  devices,
}) => {
  expect(devices.output).toContain('ready')
  const phone = await join('Phone', { relay: cluster.urls, at: AT })
  const tablet = await join('Tablet', { relay: cluster.urls, at: AT })
  await expect(door(phone)).toHaveAttribute('data-version', '0')
  await phone.offline(true)
  await phone.set('desired/light.hall/brightness', 33)
  await tablet.set('desired/light.bedroom/brightness', 66)
  await hold(phone, 'lock.front_door-unlock')
  await expect(phone.page.getByTestId('lock.front_door-outcome')).toHaveText(
    'An unlock needs a majority of relays; nothing was changed',
  )
  await phone.offline(false)
  await expect.poll(() => tablet.get('desired/light.hall/brightness')).toBe(33)
  await expect.poll(() => phone.get('desired/light.bedroom/brightness')).toBe(66)
  await expect(door(phone)).toHaveAttribute('data-version', '0')
  await expect(door(tablet)).toHaveAttribute('data-state', 'locked')

  await phone.page.goto(`${phone.page.url().replace(/#.*/, '')}#/lab`)
  await phone.page.getByTestId('act-2-play').click()
  await expect(phone.page.getByTestId('act-2-verdict')).toHaveAttribute('data-holds', 'true')
})

test('act 3: of three that unlock at the same version one succeeds, and two see the next', async ({
  join,
  cluster,
  devices,
}) => {
  expect(devices.output).toContain('ready')
  const names = ['Tablet', 'Phone', 'Hub']
  const agents = await Promise.all(names.map((name) => join(name, { relay: cluster.urls, at: AT })))
  // Up to v7, as in the story.
  for (let version = 1; version <= 7; version++) {
    await agents[0]!.page.evaluate(
      ([ifVersion]) =>
        window.skein!.space.strong.compareAndSet(
          'lock/front_door',
          { ifVersion: ifVersion! },
          { state: 'locked', by: 'Hub', cleared: {} },
        ),
      [version - 1],
    )
  }
  for (const agent of agents) await expect(door(agent)).toHaveAttribute('data-version', '7')
  // Not by holding the buttons: who is late on a busy machine would find the door open, and nothing to hold.
  const outcomes = await Promise.all(
    agents.map((agent, index) =>
      agent.page.evaluate(async (by) => {
        const unlocked = { state: 'unlocked', by, cleared: {} }
        try {
          const { version } = await window.skein!.space.strong.compareAndSet(
            'lock/front_door',
            { ifVersion: 7 },
            unlocked,
          )
          return { kind: 'done', version }
        } catch (error) {
          const { code, current } = error as { code: string; current?: { version: number } }
          return { kind: code, version: current?.version }
        }
      }, names[index]!),
    ),
  )
  expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['conflict', 'conflict', 'done'])
  expect(outcomes.map(({ version }) => version)).toEqual([8, 8, 8])
  for (const agent of agents) await expect(door(agent)).toHaveAttribute('data-version', '8')
})

test('act 3 as the lab plays it', async ({ join, cluster, devices }) => {
  expect(devices.output).toContain('ready')
  const tablet = await join('Tablet', { relay: cluster.urls, at: '#/lab' })
  await tablet.page.getByTestId('act-3-play').click()
  const verdict = tablet.page.getByTestId('act-3-verdict')
  await expect(verdict).toHaveAttribute('data-holds', 'true')
  await expect(verdict).toContainText('1 of 3 unlocked, 2 saw')
})

test('with one of three relays killed an unlock still works; with two it says so, and latches work on', async ({
  join,
  cluster,
  devices,
}) => {
  expect(devices.output).toContain('ready')
  const tablet = await join('Tablet', { relay: cluster.urls, at: AT })
  await expect(door(tablet)).toHaveAttribute('data-version', '0')
  await cluster.kill(0)
  await expect.poll(() => tablet.status('connection')).toBe('live')
  await hold(tablet, 'lock.front_door-unlock')
  await expect(door(tablet)).toHaveAttribute('data-state', 'unlocked')
  await tablet.page.getByTestId('lock.front_door-lock').click()
  await expect(door(tablet)).toHaveAttribute('data-state', 'locked')
  await expect.poll(() => tablet.get('reported/lock.front_door/state')).toBe('locked')

  await cluster.kill(1)
  await expect.poll(() => tablet.status('connection')).toBe('live')
  await hold(tablet, 'lock.front_door-unlock')
  await expect(tablet.page.getByTestId('lock.front_door-outcome')).toContainText(
    /needs a majority of relays; nothing was changed|not known/,
  )
  await expect(tablet.page.getByTestId('majority')).toHaveText('no majority')
  await expect.poll(() => tablet.get('reported/lock.front_door/state')).toBe('locked')
  await tablet.page.getByTestId('alarm_control_panel.home-trigger').click()
  await expect.poll(() => tablet.get('reported/alarm_control_panel.home/state')).toBe('triggered')
})

test('an unlock whose relay dies before it answers is unknown, stays so on show, and is settled by asking', async ({
  join,
  cluster,
  devices,
}) => {
  expect(devices.output).toContain('ready')
  const tablet = await join('Tablet', { relay: cluster.urls.slice(0, 1), at: AT })
  await expect(door(tablet)).toHaveAttribute('data-version', '0')
  // Alone, its relay cannot decide, and dies while it tries.
  await Promise.all([cluster.kill(1), cluster.kill(2)])
  await hold(tablet, 'lock.front_door-unlock')
  const outcome = tablet.page.getByTestId('lock.front_door-outcome')
  await expect(outcome).toHaveAttribute('data-outcome', 'asking')
  await cluster.kill(0)
  await expect(outcome).toHaveText(/It is not known whether this was done/)
  await tablet.page.getByTestId('lock.front_door-find-out').click()
  await expect(tablet.page.getByTestId('lock.front_door-find-out')).toHaveText('Find out')

  // Nor does a reload make anybody forget it.
  await tablet.page.reload()
  await expect(outcome).toHaveText(/It is not known whether this was done/)

  await cluster.startAll()
  await expect.poll(() => tablet.status('connection')).toBe('live')
  await tablet.page.getByTestId('lock.front_door-find-out').click()
  await expect(outcome).toHaveAttribute('data-settled', /^(not-)?applied$/)
})

test('the gas is shut offline; lifting that latch and opening again take a majority', async ({
  join,
  cluster,
  devices,
}) => {
  expect(devices.output).toContain('ready')
  const phone = await join('Phone', { relay: cluster.urls, at: AT })
  const gas = phone.page.getByTestId('tile-valve.gas')
  await hold(phone, 'valve.gas-open')
  await expect.poll(() => phone.get('reported/valve.gas/state')).toBe('open')
  await phone.offline(true)
  await phone.page.getByTestId('valve.gas-close').click()
  await expect(gas).toHaveAttribute('data-state', 'closed')
  await expect(gas).toHaveAttribute('data-latched', 'true')
  await hold(phone, 'valve.gas-lift')
  await expect(phone.page.getByTestId('valve.gas-outcome')).toContainText('needs a majority of relays')
  await expect(gas).toHaveAttribute('data-latched', 'true')

  await phone.offline(false)
  await expect.poll(() => phone.get('reported/valve.gas/state')).toBe('closed')
  await hold(phone, 'valve.gas-lift')
  await expect(gas).toHaveAttribute('data-latched', 'false')
  await expect(gas).toHaveAttribute('data-state', 'closed')
})

function door(agent: AgentPage) {
  return agent.page.getByTestId(DOOR)
}

/** Presses with the mouse for as long as it takes, or for less. */
/** Holds until it acts, however late a busy page begins to count. */
async function hold(agent: AgentPage, testId: string): Promise<void> {
  const holding = await press(agent, testId)
  await expect(holding).toHaveCount(0)
  await agent.page.mouse.up()
}

async function letGoEarly(agent: AgentPage, testId: string): Promise<void> {
  const holding = await press(agent, testId)
  await agent.page.mouse.up()
  await expect(holding).toHaveCount(0)
}

async function press({ page }: AgentPage, testId: string): Promise<Locator> {
  await page.getByTestId(testId).hover()
  await page.mouse.down()
  const holding = page.locator(`[data-testid="${testId}"][data-holding="true"]`)
  await expect(holding).toHaveCount(1)
  return holding
}
