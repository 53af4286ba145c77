import type { Space } from '@skein/agent'
import { describe, expect, test } from 'vitest'
import { AgentProcess } from './support/agent-process.js'
import { AgentWriter, joinAgent } from './support/agent-writer.js'
import { Auditor } from './support/auditor.js'
import { fingerprint, mustReadSpace } from './support/raw-client.js'
import { RelayProcess, temporaryDirectory } from './support/relay-process.js'
import { seededRandom } from './support/seed.js'
import { type After, until } from './support/until.js'

/** What one stopped reader may cost a relay: its bounded buffers, not all that flows past it. */
const COST_MIB_MAX = 200
const FLOOD_BYTES = 60_000_000
const EDIT_CHARS = 200_000
const SPACE = 'space'

// Most of the time they wait for timeouts of the protocol, which they can do together.
describe.concurrent('processes that are stopped and continued', () => {
  test('a relay stopped for a moment: edits wait, and are acknowledged afterwards', ({
    onTestFinished: after,
  }) => stopRelay(after, (agents) => agents.every(({ status }) => status.queued > 20)))

  test('a relay stopped for long: agents notice, and come back', ({ onTestFinished: after }) =>
    stopRelay(after, (agents) => agents.every(({ status }) => status.connection !== 'live')))

  test('a client stopped under a flood costs the others nothing, and comes back', async ({
    onTestFinished: after,
  }) => {
    const relay = await RelayProcess.start(after, { data: temporaryDirectory(after) })
    const writer = await joinAgent(after, { space: SPACE, url: relay.url })
    const reader = await joinAgent(after, { space: SPACE, url: relay.url })
    const stopped = new AgentProcess(after, relay.url, SPACE)
    const bystander = await joinAgent(after, { space: 'other', url: relay.url })
    await until('the client is live', () => stopped.connection === 'live')
    stopped.signal('SIGSTOP')
    const rssBefore = relay.rssMiB()
    const text = seededRandom('stopped').text(EDIT_CHARS)
    for (let sent = 0; sent < FLOOD_BYTES; sent += EDIT_CHARS) {
      // One key again and again: the document stays small, what passes the stopped reader does not.
      writer.set('flood', `${sent} ${text}`)
      bystander.set('count', sent)
      await Promise.all([writer.durable('relay'), bystander.durable('relay')])
    }
    await until('the flood is read', () => reader.digest() === writer.digest())
    const cost = relay.rssMiB() - rssBefore
    console.log(`stopped: ${FLOOD_BYTES / 1e6} MB past a stopped client; the relay grew by ${cost} MiB`)
    expect(cost).toBeLessThan(COST_MIB_MAX)
    stopped.signal('SIGCONT')
    stopped.set('back')
    await until('the client is back', () => {
      return stopped.digest === writer.digest() && writer.get('back') === 1
    })
  })
})

async function stopRelay(after: After, isLongEnough: (agents: Space[]) => boolean): Promise<void> {
  const relay = await RelayProcess.start(after, { data: temporaryDirectory(after) })
  const auditor = new Auditor()
  const random = seededRandom('stopped')
  const agents = [
    await joinAgent(after, { space: SPACE, url: relay.url, dataDir: temporaryDirectory(after) }),
    await joinAgent(after, { space: SPACE, url: relay.url }),
  ]
  const writers = agents.map((agent, index) => new AgentWriter(agent, `agent-${index}`, auditor, random))
  const running = writers.map((writer) => writer.run(after))
  await until('the agents are under way', () => auditor.count > 50)
  relay.signal('SIGSTOP')
  await until('the stop is long enough', () => isLongEnough(agents), 60_000)
  for (const agent of agents) expect(agent.status.queued).toBeGreaterThan(0)
  relay.signal('SIGCONT')
  await until('the agents are back', () => agents.every(({ status }) => status.connection === 'live'))
  for (const writer of writers) writer.stop()
  await Promise.all(running)
  await until('everything is acknowledged', () => writers.every(({ waiting }) => waiting === 0))
  await until('equal digests', () => agents[0]!.digest() === agents[1]!.digest())
  const doc = await mustReadSpace(after, relay.url, SPACE)
  expect(auditor.complaints(new Map(doc.getMap('state').entries()))).toEqual([])
  expect(fingerprint(agents[0]!.doc)).toEqual(fingerprint(doc))
}
