import { describe, expect, test } from 'vitest'
import { measure, type RoomResult } from '../../src/paths/real/measure.js'
import type { Arrival } from '../../src/paths/real/reader-process.js'
import { aimsOf, rowsOf } from '../../src/paths/real/table.js'
import type { Way } from '../../src/paths/real/ways.js'

const ROOM: RoomResult = {
  ...{ written: 0, switches: 0, up: 0, down: 0, faultsMs: [], arrivals: [], forMs: 10_000 },
}

/** One every 50 ms, each after 25 ms; but those of some moments later. */
function arrivals(late: Readonly<Record<number, number>> = {}): Arrival[] {
  return Array.from({ length: 200 }, (_, i) => [i * 50, i * 50 + 25 + (late[i * 50] ?? 0)] as const)
}

describe('what is measured of a way', () => {
  test('how long edits take, and which never came', () => {
    const { p50, p99, worst, lost } = one([
      { ...ROOM, written: 201, arrivals: arrivals({ 1000: 40, 5000: 30, 9000: 20 }) },
    ])
    expect([p50, p99, worst, lost]).toEqual([25, 55, 65, 1])
  })

  test('the gap after a fault is how late the latest of the next second was, or just before', () => {
    const late = { 950: 10, 1500: 70, 2500: 90, 5000: 30 }
    const { gapP95, gapWorst } = one([{ ...ROOM, arrivals: arrivals(late), faultsMs: [1_000, 4_990] }])
    expect([gapP95, gapWorst]).toEqual([70, 70])
    expect(one([{ ...ROOM, arrivals: arrivals(late) }]).gapP95).toBeUndefined()
  })

  test('bytes and changes of path of all rooms', () => {
    const room = { ...ROOM, arrivals: arrivals(), up: 100, down: 50, switches: 1 }
    expect(one([room, room])).toMatchObject({ up: 200, bytes: 300, switchesPer10s: 1 })
  })
})

test('an aim is missed where it is, by name', () => {
  const room = { ...ROOM, written: 200, arrivals: arrivals(), up: 100, down: 10 }
  const slow = { ...room, up: 115, arrivals: arrivals({ 1000: 200 }), faultsMs: [1_000] }
  const measured = measure(
    new Map<Way, RoomResult[]>([
      ['one relay', [room]],
      ['always redundant', [room]],
      ['agent', [slow]],
    ]),
  )
  const said = aimsOf([{ name: 'a socket closes', at: 'writer', measured }])
  expect(said.split('\n').filter((line) => line.includes('missed'))).toEqual([
    '- a closed connection costs at most 100 ms at p95: missed with "a socket closes"',
    '- at most 1.1 times the bytes of a writer with one relay: missed with "a socket closes"',
    '- at most 1.1 times the bytes of both sides with one relay: missed with "a socket closes"',
  ])
  expect(rowsOf('a socket closes', measured).split('\n')).toHaveLength(3)
})

function one(rooms: readonly RoomResult[]) {
  return measure(new Map<Way, readonly RoomResult[]>([['agent', rooms]])).get('agent')!
}
