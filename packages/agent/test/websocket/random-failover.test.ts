import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { TestCluster } from '../../../relay/test/cluster-helpers.js'
import { fingerprint, randomFrom, runSeed } from '../../../relay/test/helpers.js'
import { joinForTest, temporaryDirectory, until } from '../helpers.js'
import { type StockClient, stockClient } from './helpers.js'

test('W4 W5 under random edits, reconnects and relays that stop and start all end up with everything', {
  timeout: 120_000,
}, async () => {
  const random = randomFrom(runSeed('packages/agent/test/websocket/random-failover.test.ts'))
  const below = (n: number) => Math.floor(random() * n)
  const cluster = await TestCluster.start(3, temporaryDirectory())
  const relays = Object.values(cluster.urls)
  const clients = relays.map((_url, i) => stockClient([...relays.slice(i), ...relays.slice(0, i)]))
  const agent = await joinForTest('home', { relays })
  await until('synced', () => clients.every(({ provider }) => provider.synced))
  for (let step = 0; step < 300; step++) {
    const client = clients[below(clients.length)]!
    const dice = random()
    if (dice < 0.8) edit(client, step, below)
    else if (dice < 0.9) client.provider.disconnect()
    else if (dice < 0.98) client.provider.connect()
    else {
      if (cluster.relays.size === 3) await cluster.stop(`r${1 + below(3)}`)
      else await startAll(cluster)
      edit(client, step, below)
      await until('all go on', () =>
        clients.every(({ provider }) => provider.synced || !provider.shouldConnect),
      )
    }
    if (step % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await startAll(cluster)
  for (const { provider } of clients) provider.connect()
  await until(
    'all are equal',
    () => {
      const all = [agent, ...clients].map(({ doc }) => fingerprint(doc))
      return all.every((other) => isDeepStrictEqual(other, all[0]))
    },
    60_000,
  )
  await until('all is confirmed', () => clients.every(({ provider }) => provider.ws?.bufferedAmount === 0))
  const late = stockClient(relays)
  await until('one that comes late is synced', () => late.provider.synced)
  expect(fingerprint(late.doc)).toEqual(fingerprint(agent.doc))
})

async function startAll(cluster: TestCluster): Promise<void> {
  for (const id of Object.keys(cluster.urls)) if (!cluster.relays.has(id)) await cluster.startMember(id)
}

function edit({ doc }: StockClient, step: number, below: (n: number) => number): void {
  const text = doc.getText('text')
  const list = doc.getArray('list')
  const kind = below(10)
  if (kind < 4) text.insert(below(text.length + 1), `${step} `)
  else if (kind < 6 && text.length > 3) text.delete(below(text.length - 2), 2)
  else if (kind < 8) list.insert(below(list.length + 1), [{ step }])
  else doc.getMap('state').set(`k${below(5)}`, step)
}
