import { expect, expectConverged, test } from '../support/agents.js'

test('a relay killed again and again loses nothing that was shown as saved', async ({ join, relay }) => {
  const writer = await join('Writer')
  const saved: string[] = []
  for (let round = 0; round < 4; round++) {
    // Writes without pause; a key counts as saved once the page itself says so.
    const writing = writer.page.evaluate(async (r) => {
      const { space } = window.skein!
      const confirmed: string[] = []
      Object.assign(window, { confirmed })
      for (let i = 0; i < 2_000 && space.status.connection === 'live'; i++) {
        const key = `r${r}/${i}`
        space.set(key, i)
        void space.durable('relay').then(() => confirmed.push(key))
        await new Promise((resolve) => setTimeout(resolve, 0))
      }
      // Confirmations in flight when the connection broke are not counted: nobody saw them.
      return [...confirmed]
    }, round)
    await expect
      .poll(() => writer.page.evaluate(() => (window as { confirmed?: string[] }).confirmed?.length ?? 0))
      .toBeGreaterThan(10)
    await relay.kill()
    const confirmed = await writing
    expect(confirmed.length).toBeGreaterThan(0)
    saved.push(...confirmed)
    // The writer must not help: only the disk of the relay may answer.
    await writer.page.evaluate(() => window.skein!.space.disconnect())
    await relay.start()
    const witness = await join(`Witness${round}`)
    const present = new Set(
      await witness.page.evaluate(() => window.skein!.space.entries('r').map(([k]) => k)),
    )
    expect(saved.filter((key) => !present.has(key))).toEqual([])
    await writer.page.evaluate(() => window.skein!.space.connect())
    await expect.poll(() => writer.status('connection')).toBe('live')
    await expectConverged(writer, witness)
    await witness.page.context().close()
  }
})

test('agents notice a killed relay, go on, and are together again when it is back', async ({
  join,
  relay,
}) => {
  const tablet = await join('Tablet')
  const phone = await join('Phone')
  await relay.kill()
  await expect(tablet.page.getByTestId('connection')).toHaveAttribute('data-connection', 'connecting')
  await tablet.set('tablet', 1)
  await phone.set('phone', 2)
  await relay.start()
  const json = await expectConverged(tablet, phone)
  expect(json).toMatchObject({ tablet: 1, phone: 2 })
  await expect(tablet.page.getByTestId('convergence')).toHaveText('converged 2/2')
})
