import { expect, test } from 'vitest'
import { PAXOS_LIMITS } from '../src/index.js'
import { ANY, Cluster } from './support/cluster.js'
import { compareAndSet, READ, resolve, set } from './support/operations.js'

const UNAVAILABLE = { kind: 'unavailable', reason: 'no-quorum' }
const untilAccept = (cluster: Cluster) =>
  cluster.until(() => cluster.network.some(({ message }) => message.kind === 'accept'))

test('P7 an operation of which no accept was sent is unavailable at its deadline, not before', () => {
  const cluster = new Cluster()
  const tokens = [set('1'), READ, resolve(set('2'))].map((operation) =>
    cluster.submit('a', 'k', operation, 1_000),
  )
  cluster.until(() => cluster.nowMs === 1_000, 'b', 'c')
  expect(tokens.map((token) => cluster.outcomes.get(token))).toEqual([UNAVAILABLE, UNAVAILABLE, UNAVAILABLE])
  const early = cluster.submit('a', 'k', set('1'), 1_000)
  cluster.pass(999)
  expect(cluster.outcomes.has(early)).toBe(false)
})

test.each([
  ['a write', set('1')],
  ['a resolve', resolve(set('1'))],
])('P7 %s of which an accept was sent is unknown at its deadline', (_, operation) => {
  const cluster = new Cluster()
  const token = cluster.submit('a', 'k', operation, 1_000)
  untilAccept(cluster)
  cluster.take(ANY)
  cluster.until(() => cluster.outcomes.has(token), 'b', 'c')
  expect(cluster.nowMs).toBe(1_000)
  expect(cluster.outcomeOf(token)).toEqual({ kind: 'unknown' })
})

test('P7 it stays unknown through later rounds that did not get as far', () => {
  const cluster = new Cluster()
  const token = cluster.submit('a', 'k', set('1'), 5_000)
  untilAccept(cluster)
  cluster.take(ANY)
  for (let i = 0; i < 3; i++) cluster.pass(1_000)
  expect(cluster.network.at(-1)?.message.kind).toBe('prepare')
  cluster.pass(5_000)
  expect(cluster.outcomeOf(token)).toEqual({ kind: 'unknown' })
})

test('P7 what shares a round with a write but changes nothing is unavailable', () => {
  const cluster = new Cluster()
  cluster.decide('a', 'k', set('1'))
  cluster.hearOf('b', 9)
  const first = cluster.submit('b', 'k', set('2'), 1_000)
  const failing = cluster.submit('b', 'k', compareAndSet(9, '3'), 1_000)
  untilAccept(cluster)
  cluster.take(ANY)
  cluster.until(() => cluster.outcomes.has(failing), 'a', 'c')
  expect(cluster.outcomeOf(first)).toEqual({ kind: 'unknown' })
  expect(cluster.outcomeOf(failing)).toEqual(UNAVAILABLE)
})

test('P7 an unknown operation may still be applied, and its outcome is not told twice', () => {
  const cluster = new Cluster()
  const token = cluster.submit('a', 'k', set('1'), 100)
  untilAccept(cluster)
  cluster.pass(100)
  expect(cluster.outcomeOf(token)).toEqual({ kind: 'unknown' })
  cluster.settle()
  expect(cluster.read('b', 'k')).toMatchObject({ current: { value: '1' } })
})

test('P7 an operation that ended is in no later round', () => {
  const cluster = new Cluster()
  const token = cluster.submit('a', 'k', set('1'), 100)
  untilAccept(cluster)
  cluster.take(ANY)
  cluster.restart('b')
  cluster.until(() => cluster.outcomes.has(token), 'b', 'c')
  // Its own acceptor did not keep it either.
  cluster.disk('a').crash()
  cluster.take(ANY)
  cluster.pass(5_000)
  cluster.settle()
  for (let i = 0; i < 5; i++) cluster.pass(5_000)
  expect(cluster.onDisk('b', 'k')?.register.version).toBe(0)
})

test('P7 a cancelled operation ends at once, as at its deadline', () => {
  const cluster = new Cluster()
  const cancel = (token: number) => cluster.step('a', (member) => member.cancel(cluster.nowMs, 'k', token))
  const read = cluster.submit('a', 'k', READ)
  const waiting = cluster.submit('a', 'k', set('1'))
  cancel(read)
  cancel(waiting)
  expect([cluster.outcomeOf(read), cluster.outcomeOf(waiting)]).toEqual([UNAVAILABLE, UNAVAILABLE])
  const sent = cluster.submit('a', 'k', set('2'))
  untilAccept(cluster)
  cancel(sent)
  expect(cluster.outcomeOf(sent)).toEqual({ kind: 'unknown' })
  cancel(sent)
  cluster.settle()
})

test('P7 a cancelled operation is not applied by the round that it waited for', () => {
  const cluster = new Cluster()
  const token = cluster.submit('a', 'k', set('1'))
  cluster.step('a', (member) => member.cancel(cluster.nowMs, 'k', token))
  cluster.settle()
  expect(cluster.read('b', 'k')).toMatchObject({ current: { version: 0 } })
})

/** How long a member waits after each of so many refusals in a row. */
function backoffs(id: string, count: number): number[] {
  const cluster = new Cluster()
  const waits: number[] = []
  cluster.submit(id, 'k', set('1'), 1_000_000)
  for (let i = 0; i < count; i++) {
    const prepare = cluster.network.find(({ message }) => message.kind === 'prepare')
    if (prepare?.message.kind !== 'prepare') throw new Error('it did not try again')
    cluster.take(ANY)
    const { key, ballot } = prepare.message
    const promised = { ...ballot, proposer: 'z' }
    for (const from of ['a', 'b', 'c'].filter((other) => other !== id)) {
      cluster.hand({ from, to: id, message: { kind: 'refused', key, ballot, promised } })
    }
    expect(cluster.network).toEqual([])
    const waitMs = cluster.member(id).deadlineMs - cluster.nowMs
    waits.push(waitMs)
    cluster.pass(waitMs)
  }
  return waits
}

test('P8 who is refused waits, longer each time, up to a limit', () => {
  const waits = backoffs('a', 40)
  for (const [i, waitMs] of waits.entries()) expect(waitMs).toBeLessThanOrEqual(Math.min(2 ** i, 100))
  expect(Math.max(...waits.slice(0, 4))).toBeLessThan(10)
  expect(Math.max(...waits.slice(10))).toBeGreaterThan(50)
})

test('P8 two that refuse each other wait differently long', () => {
  const [a, b] = [backoffs('a', 20), backoffs('b', 20)]
  expect(a.filter((waitMs, i) => Math.abs(waitMs - b[i]!) > 2 ** Math.min(i, 6) / 20).length).toBeGreaterThan(
    12,
  )
})

test('P8 dueling proposers come to an end', () => {
  const cluster = new Cluster()
  const tokens = ['a', 'b', 'c'].flatMap((id) =>
    Array.from({ length: 5 }, () => cluster.submit(id, 'k', set(id))),
  )
  cluster.until(() => tokens.every((token) => cluster.outcomes.has(token)))
  expect(tokens.map((token) => cluster.outcomeOf(token).kind)).toEqual(tokens.map(() => 'done'))
  expect(cluster.read('a', 'k')).toMatchObject({ current: { version: 15 } })
})

test('P8 a decision ends the backoff', () => {
  const cluster = new Cluster()
  const waits = backoffs('a', 12)
  expect(Math.max(...waits)).toBeGreaterThan(10)
  for (let i = 0; i < 12; i++) {
    cluster.decide('b', 'k', set('1'))
    const token = cluster.submit('a', 'k', set('2'))
    const beganMs = cluster.nowMs
    cluster.until(() => cluster.outcomes.has(token))
    expect(cluster.nowMs - beganMs).toBeLessThan(3)
  }
})

test('P9 operationsPerKeyMax: more on one key are unavailable, those on others are not', () => {
  const cluster = new Cluster()
  const submitted = Array.from({ length: PAXOS_LIMITS.operationsPerKeyMax }, (_, i) =>
    cluster.submit('a', 'k', i % 2 === 0 ? set('1', { id: { client: 'c', sequence: i + 1 } }) : READ),
  )
  expect(cluster.outcomes.size).toBe(0)
  for (const operation of [set('1'), READ, resolve(set('1'))]) {
    expect(cluster.outcomeOf(cluster.submit('a', 'k', operation))).toEqual({
      kind: 'unavailable',
      reason: 'busy',
    })
  }
  const other = cluster.submit('a', 'other', set('1'))
  cluster.until(() => submitted.every((token) => cluster.outcomes.has(token)))
  expect(cluster.outcomeOf(other).kind).toBe('done')
  expect(submitted.every((token) => ['done', 'value'].includes(cluster.outcomeOf(token).kind))).toBe(true)
  expect(cluster.decide('a', 'k', set('1')).kind).toBe('done')
})

test('P9 operationsPerRoundMax: a round takes so many, and the next the others', () => {
  const cluster = new Cluster()
  for (let i = 0; i <= PAXOS_LIMITS.operationsPerRoundMax; i++) cluster.submit('a', 'k', set('1'))
  untilAccept(cluster)
  const { message } = cluster.network.find((packet) => packet.message.kind === 'accept')!
  expect(message).toMatchObject({ register: { version: PAXOS_LIMITS.operationsPerRoundMax } })
  cluster.settle()
  expect(cluster.read('b', 'k')).toMatchObject({
    current: { version: PAXOS_LIMITS.operationsPerRoundMax + 1 },
  })
})

test('P9 busyKeysMax: operations on more keys are unavailable, those on busy ones are not', () => {
  const cluster = new Cluster()
  for (let i = 0; i < PAXOS_LIMITS.busyKeysMax; i++) {
    cluster.submit('a', `k${i}`, READ, 100)
    cluster.network.length = 0
    cluster.happened.length = 0
  }
  const beyond = cluster.submit('a', 'one more', READ, 100)
  expect(cluster.outcomeOf(beyond)).toEqual({ kind: 'unavailable', reason: 'busy' })
  const among = cluster.submit('a', 'k7', READ, 100)
  expect(cluster.outcomes.has(among)).toBe(false)
  cluster.pass(100)
  expect(cluster.outcomeOf(among)).toEqual(UNAVAILABLE)
  // Until then their rounds are still open.
  cluster.pass(100)
  expect(cluster.decide('a', 'one more', set('1')).kind).toBe('done')
})

test('P4 cachedPromisesMax: the oldest promise is forgotten first', () => {
  const cluster = new Cluster(['a'])
  const keys = Array.from({ length: PAXOS_LIMITS.cachedPromisesMax + 1 }, (_, i) => `k${i}`)
  for (const key of keys) {
    cluster.submit('a', key, set('1'))
    cluster.flush('a')
    cluster.flush('a')
    cluster.happened.length = 0
  }
  expect(cluster.outcomes.size).toBe(keys.length)
  const flushesOf = (key: string) => {
    const token = cluster.submit('a', key, set('2'))
    let flushes = 0
    while (!cluster.outcomes.has(token)) {
      cluster.flush('a')
      flushes++
    }
    return flushes
  }
  expect([keys[1]!, keys.at(-1)!].map(flushesOf)).toEqual([1, 1])
  expect(flushesOf(keys[0]!)).toBe(2)
})
