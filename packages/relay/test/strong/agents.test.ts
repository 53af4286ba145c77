import { joinSpace, type Space } from '@skein/agent'
import { expect, onTestFinished, test } from 'vitest'
import { TestCluster } from '../cluster-helpers.js'
import { until } from '../helpers.js'

async function join(url: string, strong?: readonly string[]): Promise<Space> {
  const space = await joinSpace('home', { relays: [url], ...(strong === undefined ? {} : { strong }) })
  onTestFinished(() => space.leave())
  await space.whenSynced
  return space
}

const http = (url: string, key: string) =>
  `${url.replace('ws:', 'http:')}/v1/spaces/home/strong/${encodeURIComponent(key)}`

test('G1 G5 G9 agents of different relays, and HTTP, decide a key together', async () => {
  const { urls } = await TestCluster.start(3)
  const key = 'lock/front'
  const one = await join(urls.r1!, ['lock/'])
  expect((await one.strong.set(key, 'open')).version).toBe(1)
  // It declares nothing, and is told.
  const other = await join(urls.r2!)
  expect(await other.strong.get(key)).toMatchObject({ value: 'open', version: 1 })
  const seen: number[] = []
  const watching = (async () => {
    for await (const { version } of other.strong.watch(key)) {
      seen.push(version)
      if (version >= 3) return
    }
  })()
  await until('the present value is told', () => seen.length > 0)
  await one.strong.compareAndSet(key, { ifVersion: 1 }, 'shut')
  const stale = other.strong.compareAndSet(key, { ifVersion: 1 }, 'wrong')
  await expect(stale).rejects.toMatchObject({ current: { value: 'shut', version: 2 } })
  const headers = { 'content-type': 'application/json', 'if-match': '"2"' }
  const put = await fetch(http(urls.r3!, key), { method: 'PUT', headers, body: '"open"' })
  expect(put.status).toBe(200)
  await watching
  expect(seen.at(-1)).toBe(3)
})

test('G7 G8 without a majority nothing is applied, and it goes on when that is back', async () => {
  const cluster = await TestCluster.start(3)
  const space = await join(cluster.urls.r1!, ['lock/'])
  await space.strong.set('lock/front', 'open')
  await cluster.stop('r2')
  await space.strong.set('lock/front', 'shut')
  await cluster.stop('r3')
  await expect(space.strong.get('lock/front', { deadlineMs: 300 })).rejects.toThrow()
  const refused = await fetch(`${http(cluster.urls.r1!, 'lock/back')}?deadlineMs=300`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '1',
  })
  expect(refused.status).toBe(503)
})

test('G10 what an agent writes into the document under a strong key stays on its device', async () => {
  const { urls } = await TestCluster.start(1)
  const writer = await join(urls.r1!, ['lock/'])
  await writer.strong.set('lock/front', 'open')
  const reader = await join(urls.r1!, ['lock/'])
  writer.doc.getMap('state').set('lock/front', 'forged')
  const other = await join(urls.r1!, ['lock/'])
  other.set('light', 1)
  await until('another edit arrives', () => reader.get('light') === 1)
  expect(reader.doc.getMap('state').has('lock/front')).toBe(false)
  expect(await reader.strong.get('lock/front')).toMatchObject({ value: 'open', version: 1 })
})
