import { type AgentPage, expect, expectConverged, test } from '../support/agents.js'

/** Edits from inside the page: the same keys as everybody, keys of its own, deletions. */
function scribble(agent: AgentPage, edits: number): Promise<void> {
  return agent.page.evaluate(
    async ([name, count]) => {
      const { space } = window.skein!
      for (let i = 0; i < count; i++) {
        space.set(`same/${i % 3}`, `${name} ${i}`)
        space.set(`own/${name}/${i % 4}`, i)
        if (i % 5 === 0) space.delete(`same/${(i + 1) % 3}`)
        // Gives what others send the chance to arrive in between.
        if (i % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 0))
      }
    },
    [agent.name, edits] as const,
  )
}

for (const count of [2, 4, 8]) {
  test(`${count} agents converge under concurrent edits of the same and of different keys`, async ({
    join,
  }) => {
    const agents: AgentPage[] = []
    for (let i = 0; i < count; i++) agents.push(await join(`Agent${i}`))
    await Promise.all(agents.map((agent) => scribble(agent, 60)))
    const json = (await expectConverged(...agents)) as Record<string, unknown>
    for (const { name } of agents) expect(json[`own/${name}/3`]).toBe(59)
    await expect(agents[0]!.page.getByTestId('convergence')).toHaveText(`converged ${count}/${count}`)
  })
}

test('edits made offline on both sides merge', async ({ join }) => {
  const tablet = await join('Tablet')
  const phone = await join('Phone')
  await tablet.set('light', 10)
  await expectConverged(tablet, phone)
  await phone.offline(true)
  await tablet.set('tablet only', 1)
  await tablet.set('light', 20)
  await phone.set('phone only', 2)
  await phone.set('light', 30)
  await expect(phone.page.getByTestId('queued')).toHaveAttribute('data-queued', '2')
  await expect(tablet.page.getByTestId('convergence')).toHaveText('converged 1/1')
  await phone.offline(false)
  const json = await expectConverged(tablet, phone)
  expect(json).toMatchObject({ 'tablet only': 1, 'phone only': 2 })
  await expect(phone.page.getByTestId('queued')).toHaveAttribute('data-queued', '0')
})

test('both sides offline at once merge, too', async ({ join }) => {
  const tablet = await join('Tablet')
  const phone = await join('Phone')
  await Promise.all([tablet.offline(true), phone.offline(true)])
  await Promise.all([scribble(tablet, 20), scribble(phone, 20)])
  await Promise.all([tablet.offline(false), phone.offline(false)])
  await expectConverged(tablet, phone)
})

test('a reload while offline keeps the state and what is queued', async ({ join, relay }) => {
  const phone = await join('Phone')
  await phone.set('before', 1)
  await phone.durable('relay')
  await relay.kill()
  await phone.set('during', 2)
  await phone.set('during', 3)
  await phone.durable('local')
  const before = await phone.fingerprint()
  await phone.page.reload()
  await phone.page.waitForFunction(() => window.skein !== undefined)
  expect(await phone.fingerprint()).toEqual(before)
  expect(await phone.status('queued')).toBe(2)
  await relay.start()
  const tablet = await join('Tablet')
  await expectConverged(tablet, phone)
  expect(await tablet.get('during')).toBe(3)
  await expect.poll(() => phone.status('queued')).toBe(0)
})

test('a page that is closed and opened again offline has its state', async ({ join, browser }) => {
  const device = await browser.newContext()
  const first = await join('Tablet', { context: device })
  await first.set('k', 'kept')
  await first.durable('local')
  await first.page.close()
  const again = await join('Tablet', { context: device, relay: 'none' })
  expect(await again.get('k')).toBe('kept')
  await device.close()
})
