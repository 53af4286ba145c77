import { joinSpace, type Space } from '@skein/agent'
import { describe, expect, onTestFinished, test } from 'vitest'
import { TestCluster } from '../cluster-helpers.js'
import { temporaryDirectory, until } from '../helpers.js'

const IDS = ['r1', 'r2', 'r3'] as const
const SLOW = { timeout: 60_000 }

async function agentAt(url: string, name: string): Promise<Space> {
  const space = await joinSpace(name, { relays: [url], store: 'memory' })
  onTestFinished(() => space.leave())
  await space.whenSynced
  return space
}

/** Three relays, started anew with rooms on their disks. */
async function restarted(count: number): Promise<TestCluster> {
  const cluster = await TestCluster.start(3, temporaryDirectory())
  for (let i = 0; i < count; i++) {
    const space = await agentAt(cluster.urls.r1!, `s/${i}`)
    space.set('k', i)
    await space.durable('quorum')
    await space.leave()
  }
  for (const id of IDS) {
    await cluster.stop(id)
    await cluster.startMember(id)
  }
  return cluster
}

const isQuiet = (cluster: TestCluster) => () =>
  IDS.every((id) => {
    const { cluster: status, roomCount } = cluster.relay(id)
    return roomCount === 0 && status.upToDate.length === 2
  })

describe('rooms that nobody is in', SLOW, () => {
  test('Y6 Y8 leave memory at all relays when they were brought, and cause no further walks', async () => {
    const cluster = await restarted(20)
    // Walks that set each other off, or rooms that hold on to each other's links, never come to this.
    await until('all is brought and gone', isQuiet(cluster))
  })
})

describe('HTTP', SLOW, () => {
  test('Y2 what is written at one relay is read and streamed at another', async () => {
    const cluster = await TestCluster.start(2)
    const at = (id: string) => `${cluster.urls[id]!.replace('ws:', 'http:')}/v1/spaces/home/state`
    const stream = await fetch(at('r2'), { headers: { accept: 'text/event-stream' } })
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
    let events = ''
    const reading = (async () => {
      while (!events.includes('"lamp"')) events += (await reader.read()).value ?? ''
    })()
    const headers = { 'content-type': 'application/json' }
    const put = await fetch(`${at('r1')}/lamp`, { method: 'PUT', headers, body: 'true' })
    expect(put.status).toBe(201)
    await reading
    expect(events).toContain('event: set')
    expect(await (await fetch(at('r2'))).json()).toEqual({ lamp: true })
    await reader.cancel()
  })
})
