import { expect, test } from 'vitest'
import {
  type Asked,
  IN_FLIGHT_MAX,
  REQUESTS_MAX,
  RequestTable,
  type TableEffects,
} from '../../src/strong/request-table.js'

const GET: Asked = { kind: 'get', key: 'k' }
const WRITE: Asked = {
  kind: 'write',
  key: 'k',
  id: { client: 'c', sequence: 1 },
  since: 0,
  settled: 0,
  condition: { kind: 'none' },
  keepsFence: false,
  data: '1',
}
const DONE = { kind: 'done', version: 1, fence: 1 } as const
const UNKNOWN = { kind: 'unknown' } as const
const NO_QUORUM = { kind: 'unavailable', reason: 'no-quorum' } as const

function table() {
  let number = 0
  return new RequestTable(() => ++number)
}

function openTable() {
  const opened = table()
  opened.opened(0)
  return opened
}

const sentBy = ({ send }: TableEffects) => send.map(({ number, request }) => ({ number, ...request }))
const outcomes = ({ settled }: TableEffects) => settled.map(({ token, outcome }) => [token, outcome])

test('T1 what waits is sent when a relay is there, and again over the next, under the same id', () => {
  const t = table()
  expect(t.add(0, 1, WRITE, 5_000).send).toEqual([])
  expect(sentBy(t.opened(1_000))).toEqual([{ ...WRITE, number: 1, deadlineMs: 2_000 }])
  t.closed()
  expect(sentBy(t.opened(2_000))).toEqual([{ ...WRITE, number: 2, deadlineMs: 1_500 }])
  expect(outcomes(t.answered(2_100, 2, DONE))).toEqual([[1, DONE]])
  expect(t.deadline).toBe(Number.POSITIVE_INFINITY)
})

test('T1 an answer over the connection before, or one that was given already, is of nothing', () => {
  const t = openTable()
  t.add(0, 1, WRITE, 5_000)
  t.closed()
  t.opened(10)
  expect(t.answered(20, 1, DONE).settled).toEqual([])
  expect(t.answered(20, 2, DONE).settled).toHaveLength(1)
  expect(t.answered(30, 2, DONE).settled).toEqual([])
})

test('T2 at the deadline a write that was never sent is unavailable, one that was sent is unknown', () => {
  const t = table()
  t.add(0, 1, WRITE, 100)
  expect(t.deadline).toBe(100)
  expect(outcomes(t.timeout(99))).toEqual([])
  expect(outcomes(t.timeout(100))).toEqual([[1, { kind: 'unavailable', reason: 'no-relay' }]])
  t.opened(100)
  t.add(100, 2, WRITE, 200)
  expect(outcomes(t.timeout(200))).toEqual([[2, UNKNOWN]])
})

test('T2 what was sent over a lost connection stays unknown, whatever comes after', () => {
  const t = openTable()
  t.add(0, 1, WRITE, 1_000)
  t.closed()
  expect(outcomes(t.timeout(1_000))).toEqual([[1, UNKNOWN]])
  t.opened(1_000)
  t.add(1_000, 2, WRITE, 2_000)
  t.closed()
  const [again] = t.opened(1_900).send
  expect(outcomes(t.answered(1_950, again!.number, NO_QUORUM))).toEqual([[2, UNKNOWN]])
})

test('T2 a read is unavailable, also when it was sent', () => {
  const t = openTable()
  t.add(0, 1, GET, 1_000)
  t.closed()
  t.opened(500)
  expect(outcomes(t.timeout(1_000))).toEqual([[1, { kind: 'unavailable', reason: 'no-answer' }]])
})

test('T2 the settled one tells whether an earlier attempt may have been applied', () => {
  const t = openTable()
  t.add(0, 1, WRITE, 5_000)
  expect(t.answered(1, 1, DONE).settled[0]!.exposed).toBe(false)
  t.add(1, 2, WRITE, 5_000)
  t.closed()
  t.opened(2)
  expect(t.answered(3, 3, DONE).settled[0]!.exposed).toBe(true)
})

test('T3 an answer that settles nothing is followed by attempts with growing pauses', () => {
  const t = openTable()
  t.add(0, 1, WRITE, 60_000)
  let nowMs = 0
  const pauses: number[] = []
  for (let number = 1; number <= 6; number++) {
    expect(t.answered(nowMs, number, number % 2 ? NO_QUORUM : UNKNOWN).settled).toEqual([])
    pauses.push(t.deadline - nowMs)
    nowMs = t.deadline
    expect(t.timeout(nowMs - 1).send).toEqual([])
    expect(t.timeout(nowMs).send).toHaveLength(1)
  }
  expect(pauses).toEqual([100, 200, 400, 800, 1_000, 1_000])
})

test('T3 without time for another attempt the last answer counts', () => {
  const t = openTable()
  t.add(0, 1, WRITE, 1_000)
  expect(outcomes(t.answered(700, 1, NO_QUORUM))).toEqual([[1, NO_QUORUM]])
  t.add(0, 2, WRITE, 1_000)
  expect(outcomes(t.answered(700, 2, UNKNOWN))).toEqual([[2, UNKNOWN]])
})

test('T3 the relay is given less time than is left, and never none or too much', () => {
  const t = openTable()
  const [short] = sentBy(t.add(0, 1, GET, 1))
  expect(short).toMatchObject({ deadlineMs: 1 })
  const [long] = sentBy(t.add(0, 2, GET, Number.POSITIVE_INFINITY))
  expect(long).toMatchObject({ deadlineMs: 10_000 })
})

test('T3 a relay that does not answer in its time is told of, once for an attempt', () => {
  const t = openTable()
  t.add(0, 1, WRITE, 4_000)
  expect(t.deadline).toBe(2_250)
  expect(t.timeout(2_249).silent).toBe(false)
  expect(t.timeout(2_250)).toEqual({ send: [], settled: [], silent: true })
  expect(t.timeout(2_251).silent).toBe(false)
  expect(t.deadline).toBe(4_000)
  expect(outcomes(t.answered(3_000, 1, DONE))).toEqual([[1, DONE]])
})

test('T4 going offline ends everything at once', () => {
  const t = openTable()
  t.add(0, 1, GET, 5_000)
  t.add(0, 2, WRITE, 5_000)
  expect(outcomes(t.wentOffline())).toEqual([
    [1, { kind: 'unavailable', reason: 'offline' }],
    [2, UNKNOWN],
  ])
  t.add(0, 3, WRITE, 5_000)
  expect(outcomes(t.wentOffline())).toEqual([[3, { kind: 'unavailable', reason: 'offline' }]])
})

test('T5 cancelling tells whether it may have been applied', () => {
  const t = table()
  t.add(0, 1, WRITE, 5_000)
  expect(t.cancel(1)).toBe(false)
  t.opened(0)
  t.add(0, 2, WRITE, 5_000)
  t.add(0, 3, GET, 5_000)
  expect([t.cancel(2), t.cancel(3), t.cancel(2)]).toEqual([true, false, false])
  expect(t.answered(1, 1, DONE).settled).toEqual([])
})

test('T6 beyond the limit more is refused as busy; the others are not affected', () => {
  const t = table()
  for (let token = 1; token <= REQUESTS_MAX; token++) t.add(0, token, GET, 5_000)
  const over = t.add(0, 0, GET, 5_000)
  expect(outcomes(over)).toEqual([[0, { kind: 'unavailable', reason: 'busy' }]])
  expect(t.opened(0).send).toHaveLength(IN_FLIGHT_MAX)
})

test('T6 so many at a time are on their way, in their order; more follow as others are answered', () => {
  const t = openTable()
  const sent: number[] = []
  const send = (effects: TableEffects) => sent.push(...effects.send.map(({ number }) => number))
  for (let token = 1; token <= IN_FLIGHT_MAX + 3; token++) send(t.add(0, token, GET, 5_000))
  expect(sent).toHaveLength(IN_FLIGHT_MAX)
  expect(t.deadline).toBeGreaterThan(0)
  send(t.answered(1, 1, DONE))
  expect(sent).toHaveLength(IN_FLIGHT_MAX + 1)
  send(t.answered(1, 2, NO_QUORUM))
  expect(sent).toHaveLength(IN_FLIGHT_MAX + 2)
  t.cancel(3)
  send(t.timeout(1))
  expect(sent).toHaveLength(IN_FLIGHT_MAX + 3)
  t.closed()
  expect(t.opened(2).send).toHaveLength(IN_FLIGHT_MAX)
})
