import type { Space } from '@skein/agent'
import { expect, test } from 'vitest'
import { joinAgent } from './support/agent-writer.js'
import { RelayProcess, temporaryDirectory } from './support/relay-process.js'
import { ReplicaClient } from './support/replica-client.js'
import { seededRandom, setting } from './support/seed.js'
import { until } from './support/until.js'

const CLIENTS = setting('clients', 1_000)
const SPACES = ['storm-a', 'storm-b', 'storm-c', 'storm-d']
const AGENTS_PER_SPACE = 2
/** Beyond what as many clients cost that came one after the other. */
const STORM_MIB_MAX = 100

test(`${CLIENTS} clients of a killed relay come back at once, and are in sync`, async ({
  onTestFinished: after,
}) => {
  const random = seededRandom('storm')
  const data = temporaryDirectory(after)
  let relay = await RelayProcess.start(after, { data })
  const agents: Space[] = []
  for (const space of SPACES) {
    for (let i = 0; i < AGENTS_PER_SPACE; i++) agents.push(await joinAgent(after, { space, url: relay.url }))
  }
  const clients = Array.from({ length: CLIENTS }, (_, index) => {
    return {
      space: SPACES[index % SPACES.length]!,
      replica: new ReplicaClient(SPACES[index % SPACES.length]!, random),
    }
  })
  for (const { replica } of clients) replica.join(after, relay.url)
  const everybody = (key: string) => () =>
    clients.every(({ replica }) => replica.synced && replica.doc.getMap('state').has(key)) &&
    agents.every((agent) => agent.get(key) !== undefined)
  const missing = (key: string) => () => {
    const without = clients.filter(({ replica }) => !replica.synced || !replica.doc.getMap('state').has(key))
    return `${key} everywhere; ${without.length} of ${CLIENTS} clients lack it`
  }

  for (const agent of agents) agent.set('before', true)
  await until(missing('before'), everybody('before'), 60_000)
  const rssBefore = relay.rssMiB()
  await relay.kill()
  await until('agents notice', () => agents.every(({ status }) => status.connection !== 'live'))
  for (const agent of agents) agent.set('between', true)
  const started = Date.now()
  relay = await RelayProcess.start(after, { data, port: relay.port })
  await until(missing('between'), everybody('between'), 60_000)
  const seconds = (Date.now() - started) / 1000
  // Edits of others flow as before, and are on disk.
  for (const agent of agents) agent.set('after', true)
  await Promise.all(agents.map((agent) => agent.durable('relay')))
  await until(missing('after'), everybody('after'), 60_000)
  expect(await relay.metric('skein_connections')).toBe(CLIENTS + agents.length)
  const rssAfter = relay.rssMiB()
  console.log(
    `storm: ${CLIENTS} clients back in ${seconds} s; the relay has ${rssAfter} MiB, had ${rssBefore} before`,
  )
  expect(rssAfter).toBeLessThan(rssBefore + STORM_MIB_MAX)
}, 240_000)
