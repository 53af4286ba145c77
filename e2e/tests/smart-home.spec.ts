import path from 'node:path'
import { test as base, expect, expectConverged } from '../support/agents.js'
import { TestProcess } from '../support/process.js'

const DEVICES = path.resolve(import.meta.dirname, '../../demo/dist/devices/main.js')

/** The simulated devices live in the space. */
const test = base.extend<{ devices: TestProcess }>({
  devices: async ({ relay, space }, use) => {
    const devices = new TestProcess(DEVICES, ['--relay', relay.url, '--space', space])
    await devices.printed(/^ready/m)
    await use(devices)
    await devices.end('SIGTERM')
  },
})

test('a light turned on in one tab is on in the other, once the device reports it', async ({
  join,
  devices,
}) => {
  expect(devices.output).toContain('ready')
  const tablet = await join('Tablet')
  const phone = await join('Phone')
  const mine = tablet.page.getByTestId('light.kitchen-on')
  const theirs = phone.page.getByTestId('light.kitchen-on')
  const before = await mine.isChecked()
  await mine.setChecked(!before)
  await expect(theirs).toBeChecked({ checked: !before })
  await expect.poll(() => phone.get('reported/light.kitchen/on')).toBe(!before)
  await expect(tablet.page.getByTestId('convergence')).toHaveAttribute('data-total', '3')
})

test('act 1: brightness here and colour there are both kept; for one field, one value wins', async ({
  join,
  devices,
}) => {
  expect(devices.output).toContain('ready')
  const tablet = await join('Tablet')
  const phone = await join('Phone')
  await tablet.offline(true)
  await phone.offline(true)
  const brightness = (page: typeof tablet.page) => page.getByTestId('light.living_ceiling-brightness')
  await brightness(tablet.page).fill('33')
  await phone.page.evaluate(() => window.skein!.space.set('desired/light.living_ceiling/color', '#ff0000'))
  await tablet.offline(false)
  await phone.offline(false)
  await expect.poll(() => tablet.get('desired/light.living_ceiling/color')).toBe('#ff0000')
  await expect.poll(() => phone.get('desired/light.living_ceiling/brightness')).toBe(33)
  await expect(brightness(phone.page)).toHaveValue('33')

  await tablet.offline(true)
  await phone.offline(true)
  await brightness(tablet.page).fill('10')
  await brightness(phone.page).fill('90')
  await tablet.offline(false)
  await phone.offline(false)
  await expect
    .poll(async () => {
      const values = [tablet, phone].map((agent) => agent.get('desired/light.living_ceiling/brightness'))
      const [a, b] = await Promise.all(values)
      return a === b && (a === 10 || a === 90)
    })
    .toBe(true)
  const winner = await tablet.get('desired/light.living_ceiling/brightness')
  const loser = winner === 10 ? phone : tablet
  await expect(loser.page.getByTestId('overwritten')).toHaveAttribute('data-value', String(winner))
})

test('devices that are gone are shown as away, and catch up with what was wanted', async ({
  join,
  relay,
  space,
  devices,
}) => {
  const tablet = await join('Tablet')
  await expect(tablet.page.getByTestId('devices-away')).toBeHidden()
  await devices.end('SIGTERM')
  await expect(tablet.page.getByTestId('devices-away').first()).toBeVisible()
  await tablet.set('desired/light.hall/brightness', 5)
  const again = new TestProcess(DEVICES, ['--relay', relay.url, '--space', space])
  await expect.poll(() => tablet.get('reported/light.hall/brightness')).toBe(5)
  await again.end('SIGTERM')
})

test('two devices agents that seed at once leave one home', async ({ join, relay, space }) => {
  const both = [1, 2].map(() => new TestProcess(DEVICES, ['--relay', relay.url, '--space', space]))
  await Promise.all(both.map((devices) => devices.printed(/^ready/m)))
  await Promise.all(both.map((devices) => devices.end('SIGTERM')))
  const tablet = await join('Tablet')
  const phone = await join('Phone')
  const json = (await expectConverged(tablet, phone)) as Record<string, unknown>
  const areas = Object.entries(json).filter(([key]) => key.startsWith('area/'))
  expect(new Set(areas.map(([, area]) => (area as { name: string }).name)).size).toBe(areas.length)
})
