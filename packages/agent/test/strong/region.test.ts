import { expect, test } from 'vitest'
import { Conflict, type JoinOptions, NotStrong, Unavailable, Unknown } from '../../src/node.js'
import { freePort, joinForTest, until } from '../helpers.js'
import { ScriptedRegion } from './scripted-region.js'

const STRONG = ['lock/', 'n/']

async function joined(options: JoinOptions = {}) {
  const relay = await ScriptedRegion.start()
  const space = await joinForTest('home', { relays: [relay.url], strong: STRONG, ...options })
  // Its declaration is decided: what comes now is sent at once.
  await space.strong.get('n/0')
  return { relay, space, strong: space.strong }
}

/** What a promise rejects with. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it was done')
}

test('T1 a value is set, read, changed under conditions, and deleted', async () => {
  const { strong } = await joined()
  expect(await strong.get('lock/front')).toEqual({ value: undefined, version: 0, fence: 0 })
  expect(await strong.set('lock/front', { to: 'locked' })).toEqual({ version: 1, fence: 1 })
  expect(await strong.get('lock/front')).toEqual({ value: { to: 'locked' }, version: 1, fence: 1 })
  expect(await strong.compareAndSet('lock/front', { ifVersion: 1 }, 'open')).toMatchObject({ version: 2 })
  expect(await strong.compareAndSet('lock/front', { ifFence: 2 }, 'shut')).toMatchObject({ version: 3 })
  expect(await strong.compareAndSet('lock/front', { ifPresent: true }, 'ajar')).toMatchObject({ version: 4 })
  expect(await strong.delete('lock/front', { condition: { ifVersion: 4 } })).toMatchObject({ version: 5 })
  expect(await strong.compareAndSet('lock/front', { ifAbsent: true }, 'new')).toMatchObject({ version: 6 })
  const error = await failure(strong.compareAndSet('lock/front', { ifVersion: 5 }, 'late'))
  expect(error).toBeInstanceOf(Conflict)
  expect(error).toMatchObject({
    name: 'Conflict',
    code: 'conflict',
    applied: 'no',
    current: { value: 'new', version: 6, fence: 6 },
  })
  await strong.delete('lock/front')
  expect(await strong.get('lock/front')).toEqual({ value: undefined, version: 7, fence: 7 })
})

test('T1 a write whose answer got lost with the connection is asked again, and applied once', async () => {
  const { relay, strong } = await joined()
  relay.script = ({ request, before, carryOut, drop }) => {
    if (request.kind !== 'write' || before > 0) return false
    carryOut()
    drop()
    return true
  }
  expect(await strong.set('lock/front', 'locked')).toEqual({ version: 1, fence: 1 })
  const [first, second] = relay.asked('write')
  expect(second).toEqual({ ...first, deadlineMs: second!.deadlineMs })
  expect(relay.entry('lock/front').version).toBe(1)
})

test('T1 another relay of the list is asked where the first is gone', async () => {
  const first = await ScriptedRegion.start()
  const second = await ScriptedRegion.start()
  const space = await joinForTest('home', { relays: [first.url, second.url], strong: STRONG })
  await space.whenSynced
  first.script = ({ request, drop }) => {
    if (request.kind !== 'write') return false
    first.server.close()
    drop()
    return true
  }
  await space.strong.set('lock/front', 'locked')
  expect(second.entry('lock/front').value).toBe('"locked"')
  expect(space.status.path?.url).toContain(second.url)
})

test('T3 another relay is asked where the first does not answer', async () => {
  const first = await ScriptedRegion.start()
  const second = await ScriptedRegion.start()
  first.script = ({ request }) => request.kind === 'write'
  const space = await joinForTest('home', { relays: [first.url, second.url], strong: STRONG })
  await space.whenSynced
  await space.strong.set('lock/front', 'locked', { deadlineMs: 6_000 })
  expect(second.asked('write')[0]).toMatchObject({ id: first.asked('write')[0]!.id })
})

test('T2 T10 a write without an answer is unknown, and resolving it settles it', async () => {
  const { relay, strong } = await joined()
  relay.script = ({ request, before, carryOut }) => {
    if (request.kind !== 'write' || before > 1) return false
    if (before === 0) carryOut()
    return true
  }
  const applied = await failure(strong.set('lock/front', 'locked', { deadlineMs: 100 }))
  expect(applied).toBeInstanceOf(Unknown)
  expect(applied).toMatchObject({ code: 'unknown-outcome', applied: 'maybe', forgotten: false })
  const not = (await failure(strong.set('lock/front', 'open', { deadlineMs: 100 }))) as Unknown
  expect(await (applied as Unknown).resolve()).toBe('applied')
  expect(await strong.resolve(JSON.parse(JSON.stringify(not.operation)))).toBe('not-applied')
  expect(await strong.resolve(not.operation)).toBe('not-applied')
  expect(await strong.get('lock/front')).toMatchObject({ value: 'locked' })
})

test('T2 T4 without a relay that offers a strong region it is unavailable at the deadline', async () => {
  const relay = await ScriptedRegion.start()
  relay.features = []
  const space = await joinForTest('home', { relays: [relay.url], strong: STRONG })
  await space.whenSynced
  const error = await failure(space.strong.set('lock/front', 1, { deadlineMs: 50 }))
  expect(error).toBeInstanceOf(Unavailable)
  expect(error).toMatchObject({ code: 'unavailable', applied: 'no', reason: 'no-relay' })
  expect(relay.requests).toEqual([])
  const nobody = await joinForTest('nobody', {
    relays: [`ws://127.0.0.1:${await freePort()}`],
    strong: STRONG,
  })
  expect(await failure(nobody.strong.get('lock/front', { deadlineMs: 50 }))).toMatchObject({
    reason: 'no-relay',
  })
})

test('T4 offline it is unavailable at once, and what was sent before is unknown at once', async () => {
  const { relay, space, strong } = await joined()
  relay.script = ({ request }) => request.kind === 'write'
  const sent = failure(strong.set('lock/front', 1, { deadlineMs: 60_000 }))
  await until('it was sent', () => relay.asked('write').length === 1)
  space.disconnect()
  expect(await sent).toBeInstanceOf(Unknown)
  const options = { deadlineMs: 60_000 }
  for (const asked of [strong.get('n/1', options), strong.set('n/1', 1, options)]) {
    expect(await failure(asked)).toMatchObject({ code: 'unavailable', reason: 'offline' })
  }
  relay.script = undefined
  space.connect()
  expect(await strong.set('n/1', 1)).toMatchObject({ version: 1 })
})

test('T5 an aborted signal throws its reason before anything was sent, and else Unknown', async () => {
  const { relay, strong } = await joined()
  relay.script = ({ request }) => request.kind === 'write'
  const reason = new Error('enough')
  expect(await failure(strong.set('n/1', 1, { signal: AbortSignal.abort(reason) }))).toBe(reason)
  const abort = new AbortController()
  const first = failure(strong.set('n/1', 1, { signal: abort.signal }))
  const second = failure(strong.set('n/1', 2, { signal: abort.signal }))
  await until('it was sent', () => relay.asked('write').length === 1)
  abort.abort(reason)
  expect(await first).toMatchObject({ code: 'unknown-outcome', cause: reason })
  expect(await second).toBe(reason)
  relay.script = undefined
  expect(await strong.set('n/1', 3)).toMatchObject({ version: 1 })
})

test('T7 writes to one key go one after the other, and settle those before but the unknown', async () => {
  const { relay, strong } = await joined()
  await Promise.all([1, 2, 3].map((value) => strong.set('n/1', value)))
  expect(relay.asked('write').map(({ data, settled, since }) => [data, settled, since])).toEqual([
    ['1', 0, 0],
    ['2', 1, 1],
    ['3', 2, 2],
  ])
  relay.script = ({ request, before }) => request.kind === 'write' && before === 3
  const unknown = (await failure(strong.set('n/1', 4, { deadlineMs: 50 }))) as Unknown
  await strong.set('n/1', 5)
  await strong.set('n/1', 6)
  expect(relay.asked('write').at(-1)).toMatchObject({ id: { sequence: 6 }, settled: 3 })
  expect(await unknown.resolve()).toBe('not-applied')
  await strong.set('n/1', 7)
  expect(relay.asked('write').at(-1)).toMatchObject({ id: { sequence: 7 }, settled: 6 })
})

test('T7 one that waits for its turn beyond its deadline was not done', async () => {
  const { relay, strong } = await joined()
  relay.script = ({ request, before }) => request.kind === 'write' && before === 0
  const first = failure(strong.set('n/1', 1, { deadlineMs: 300 }))
  expect(await failure(strong.set('n/1', 2, { deadlineMs: 50 }))).toMatchObject({ reason: 'busy' })
  await first
  expect(await strong.set('n/1', 3)).toMatchObject({ version: 1 })
  expect(relay.asked('write').map(({ data }) => data)).toEqual(['1', '3'])
})

test('T8 forgotten at a first attempt raises since, after one that may have been applied it is unknown', async () => {
  const { relay, strong } = await joined()
  for (let sequence = 1; sequence <= 3; sequence++) relay.write('n/1', '0', sequence)
  relay.registers.set('n/1', { ...relay.registers.get('n/1')!, clients: [], forgotten: 3 })
  expect(await strong.set('n/1', 1)).toMatchObject({ version: 4 })
  expect(relay.asked('write').map(({ since, id }) => [since, id.sequence])).toEqual([
    [0, 1],
    [3, 1],
  ])
  relay.script = ({ request, before, carryOut, drop }) => {
    if (request.kind !== 'write' || before !== 2) return false
    carryOut()
    relay.registers.set('n/1', { ...relay.registers.get('n/1')!, clients: [], forgotten: 5 })
    drop()
    return true
  }
  const error = (await failure(strong.set('n/1', 2))) as Unknown
  expect(error).toMatchObject({ code: 'unknown-outcome', forgotten: true })
  expect(await failure(error.resolve())).toMatchObject({ forgotten: true })
  expect(relay.entry('n/1')).toMatchObject({ value: '2', version: 5 })
})

test('T9 a conflict is told only once an earlier attempt cannot come through any more', async () => {
  const { relay, strong } = await joined()
  relay.script = ({ request, before, answer, drop }) => {
    if (request.kind !== 'write') return false
    if (before % 2 === 0) drop()
    else answer({ kind: 'conflict', current: { value: '1', version: 5, fence: 5 } })
    return true
  }
  expect(await failure(strong.compareAndSet('n/1', { ifVersion: 4 }, 2))).toBeInstanceOf(Conflict)
  expect(relay.asked('resolve')).toEqual([])
  expect(await failure(strong.compareAndSet('n/2', { ifAbsent: true }, 2))).toBeInstanceOf(Conflict)
  expect(relay.asked('resolve')).toHaveLength(1)
})

test('T11 update computes again on the value of each conflict, and nothing is lost', async () => {
  const { relay, strong } = await joined()
  const other = await joinForTest('home', { relays: [relay.url], strong: STRONG })
  await other.whenSynced
  const add = (n: number | undefined) => (n ?? 0) + 1
  const results = await Promise.all(
    [strong, other.strong, strong, other.strong, strong].map((region) => region.update<number>('n/1', add)),
  )
  expect(results.map(({ value }) => value).sort()).toEqual([1, 2, 3, 4, 5])
  expect(await strong.get('n/1')).toMatchObject({ value: 5, version: 5 })
  const many = Array.from({ length: 40 }, () => strong.update<number>('n/many', add))
  await Promise.all(many)
  expect(await strong.get('n/many')).toMatchObject({ value: 40 })
  expect(relay.asked('write').filter(({ key }) => key === 'n/many')).toHaveLength(40)
  const endMs = performance.now() + 3_000
  const late = strong.update<number>(
    'n/1',
    async (n) => {
      if (n === 5) relay.write('n/1', '6', 1)
      else await until('the deadline has passed', () => performance.now() > endMs)
      return 7
    },
    { deadlineMs: 3_000 },
  )
  expect(await failure(late)).toMatchObject({ code: 'conflict', current: { value: 6 } })
})

test('T12 what cannot be sent is refused before', async () => {
  const { relay, strong } = await joined()
  const sent = relay.requests.length
  const half = 'lock/\ud800'
  for (const key of ['', 'x'.repeat(513), `lock/${'é'.repeat(300)}`, half]) {
    expect(await failure(strong.set(key, 1))).toMatchObject({ code: 'bad-key' })
  }
  const large = 'x'.repeat(65_535)
  for (const value of [large, undefined, Number.NaN, new Date()]) {
    expect(await failure(strong.set('lock/front', value as never))).toMatchObject({ code: 'bad-value' })
  }
  const bad = { code: 'bad-value' }
  expect(await failure(strong.compareAndSet('n/1', { ifVersion: -1 }, 1))).toMatchObject(bad)
  expect(await failure(strong.get('n/1', { deadlineMs: Number.NaN }))).toMatchObject(bad)
  expect(await failure(strong.lease('n/1', { ttlMs: 0 }))).toMatchObject(bad)
  expect(relay.requests).toHaveLength(sent)
  expect(await strong.set('lock/front', large.slice(1))).toMatchObject({ version: 1 })
})

test('T13 peek tells the last that was heard, labelled, and never an older one', async () => {
  const { relay, strong } = await joined()
  expect(strong.peek('n/1')).toBeUndefined()
  await strong.set('n/1', { a: 1 })
  const peeked = strong.peek<{ a: number }>('n/1')!
  expect(peeked).toEqual({ stale: true, value: { a: 1 }, version: 1, fence: 1, atMs: expect.any(Number) })
  peeked.value!.a = 2
  expect(strong.peek('n/1')!.value).toEqual({ a: 1 })
  relay.write('n/1', '7', 1)
  expect(strong.peek('n/1')!.version).toBe(1)
  await strong.get('n/1')
  expect(strong.peek('n/1')).toMatchObject({ value: 7, version: 2 })
  relay.sendAll({ type: 'strong-event', key: 'n/1', entry: { value: '3', version: 1, fence: 1 } })
  await strong.get('n/2')
  expect(strong.peek('n/1')!.version).toBe(2)
})

test('T15 a key that nobody declared is not strong', async () => {
  const { strong } = await joined()
  const error = await failure(strong.get('light/kitchen'))
  expect(error).toBeInstanceOf(NotStrong)
  expect(error).toMatchObject({ code: 'not-strong', prefixes: STRONG })
})
