import type { PathSwitch } from '@skein/agent'
import { describe, expect, test } from 'vitest'
import { linesOf, type Witnessed } from '../src/app/acts/kill-relay-words.js'
import { DragRecord } from '../src/model/drag.js'

describe('the record of a drag', () => {
  test('knows of each edit when it was acknowledged and when it arrived, a later one standing for those before', () => {
    const record = dragged([1, 2, 3])
    record.acknowledged(1, 130)
    record.arrived(2, 190)
    expect(record.edits).toEqual([
      { value: 1, madeMs: 100, acknowledgedMs: 130, arrivedMs: 190 },
      { value: 2, madeMs: 150, acknowledgedMs: undefined, arrivedMs: 190 },
      { value: 3, madeMs: 200, acknowledgedMs: undefined, arrivedMs: undefined },
    ])
    expect(record.acknowledgedCount).toBe(1)
  })

  test('tells how slow the slowest was only when all are there', () => {
    const record = dragged([1, 2])
    record.arrived(1, 120)
    expect(record.slowestArrivalMs).toBeUndefined()
    record.arrived(2, 240)
    expect(record.slowestArrivalMs).toBe(90)
  })

  test('tells the longest silence, and leaves out what is not of the drag', () => {
    const record = dragged([1, 2, 3])
    record.arrived(1, 120)
    record.arrived(77, 200)
    record.arrived(undefined, 210)
    record.arrived(2, 300)
    record.arrived(3, 310)
    expect(record.longestSilenceMs()).toBe(180)
    expect(record.longestSilenceMs(305)).toBe(10)
  })

  test('counts what comes twice once', () => {
    const record = dragged([1])
    record.arrived(1, 120)
    record.arrived(1, 500)
    record.acknowledged(1, 130)
    record.acknowledged(1, 600)
    expect(record.edits[0]).toMatchObject({ arrivedMs: 120, acknowledgedMs: 130 })
  })
})

describe('act 4 in words', () => {
  test('holds when another path was quick, and everything is everywhere', () => {
    const result = linesOf(played({}), (url) => url)
    expect(result.holds).toBe(true)
    expect(result.verdict).toBe('Another path after 40 ms, and none of 2 edits is lost.')
    expect(result.lines.map(({ words }) => words)).toEqual([
      'r1: kill -9 ordered at edit 1',
      'r1 closed, r2 took over 40 ms after the order',
      'has all, each within 30 ms; since the kill it heard nothing for 50 ms at most',
      '2 of 2 edits, each within 20 ms',
      'equal digests; this agent was present all the time',
    ])
  })

  test.each<[string, Partial<Witnessed>, RegExp]>([
    ['a slow switch', { taken: taken(1_200) }, /^Nothing is lost, but it took longer/],
    ['no switch', { taken: undefined }, /^Nothing is lost, but it took longer/],
    ['digests that differ', { same: false }, /^Not as it must be/],
    ['an edit that is not confirmed', { record: confirmed(1) }, /^Not as it must be/],
  ])('does not with %s', (_what, seen, verdict) => {
    const result = linesOf(played(seen), (url) => url)
    expect(result.holds).toBe(false)
    expect(result.verdict).toMatch(verdict)
  })

  test('does not when the agent seemed gone', () => {
    const result = linesOf(played({ vanished: 2 }), (url) => url)
    expect(result.holds).toBe(false)
    expect(result.verdict).toMatch(/^Not as it must be/)
    expect(result.lines.at(-1)?.words).toContain('seemed gone 2 times')
  })
})

/** Edits of these values, every 50 ms from 100 on. */
function dragged(values: readonly number[]): DragRecord {
  const record = new DragRecord()
  for (const [index, value] of values.entries()) record.made(value, 100 + index * 50)
  return record
}

/** Two edits at both ends, of which so many are confirmed. */
function confirmed(count: number): DragRecord {
  const record = dragged([1, 2])
  for (let value = 1; value <= count; value++) record.acknowledged(value, 70 + value * 50)
  record.arrived(1, 130)
  record.arrived(2, 180)
  return record
}

function taken(afterMs: number): PathSwitch {
  return { from: 'r1', to: 'r2', reason: 'closed', at: 120 + afterMs }
}

function played(more: Partial<Witnessed>): Witnessed {
  const all = {
    record: confirmed(2),
    kill: { victim: 'r1', witnessOver: 'r3', atMs: 120 },
    taken: taken(40),
    vanished: 0,
    same: true,
  }
  return { ...all, ...more }
}
