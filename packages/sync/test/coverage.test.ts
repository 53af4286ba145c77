import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { backoffMs, Coverage, mergeUpdates, RangeSet } from '../src/index.js'
import { updateOf } from './helpers.js'

describe('range set', () => {
  test('C1 behaves like a set of ids', () => {
    const range = fc.record({ client: fc.nat(2), clock: fc.nat(30), length: fc.integer({ min: 1, max: 8 }) })
    fc.assert(
      fc.property(fc.array(range, { maxLength: 60 }), range, (ranges, probe) => {
        const set = new RangeSet()
        const model = new Set<string>()
        const ids = ({ client, clock, length }: typeof probe) =>
          Array.from({ length }, (_, i) => `${client}:${clock + i}`)
        for (const r of ranges) {
          const isNew = ids(r).some((id) => !model.has(id))
          expect(set.add(r.client, r.clock, r.length)).toBe(isNew)
          for (const id of ids(r)) model.add(id)
        }
        expect(set.has(probe.client, probe.clock, probe.length)).toBe(ids(probe).every((id) => model.has(id)))
        for (const client of [0, 1, 2]) {
          let clock = 0
          while (model.has(`${client}:${clock}`)) clock++
          expect(set.contiguous(client)).toBe(clock)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('range set, many at once', () => {
  test('C1 adding many ranges in one pass is the same as one after the other', () => {
    const ranges = fc
      .uniqueArray(fc.nat(400), { maxLength: 80 })
      .map((bounds) => bounds.sort((a, b) => a - b))
      .map((bounds) => bounds.slice(0, bounds.length - (bounds.length % 2)))
    fc.assert(
      fc.property(fc.array(ranges, { maxLength: 5 }), (lists) => {
        const [one, many] = [new RangeSet(), new RangeSet()]
        for (const list of lists) {
          let isNew = false
          for (let i = 0; i < list.length; i += 2) {
            if (one.add(1, list[i]!, list[i + 1]! - list[i]!)) isNew = true
          }
          expect(many.addAll(1, list)).toBe(isNew)
          expect(many).toEqual(one)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('C1 100,000 ranges between 100,000 others take one pass, not one insertion each', () => {
    const list = (offset: number) =>
      Array.from({ length: 200_000 }, (_, i) => (i >> 1) * 4 + offset + (i & 1))
    const set = new RangeSet()
    set.addAll(1, list(0))
    let inserted = 0
    const splice = Array.prototype.splice
    Array.prototype.splice = function (this: unknown[], ...args: unknown[]) {
      inserted++
      return splice.apply(this, args as never)
    } as typeof splice
    try {
      expect(set.addAll(1, list(2))).toBe(true)
    } finally {
      Array.prototype.splice = splice
    }
    expect(inserted).toBe(0)
    expect(set.has(1, 399_998, 1)).toBe(true)
  })
})

describe('coverage', () => {
  test('C1 a deletion alone is news, the second time not', () => {
    const doc = new Y.Doc()
    doc.getMap('state').set('a', 1)
    const coverage = new Coverage()
    expect(coverage.add(Y.encodeStateAsUpdate(doc))).toBe(true)
    const before = Y.encodeStateVector(doc)
    doc.getMap('state').delete('a')
    const deletion = Y.encodeStateAsUpdate(doc, before)
    expect(coverage.add(deletion)).toBe(true)
    expect(coverage.add(deletion)).toBe(false)
  })

  test('C1 of a malformed update nothing counts', () => {
    const coverage = new Coverage()
    const update = updateOf('a', 1, 7)
    const broken = new Uint8Array([...update, 1])
    expect(() => coverage.add(broken)).toThrow()
    expect(coverage.stateVector().size).toBe(0)
    expect(coverage.add(update)).toBe(true)
  })

  test('C2 the state vector stops at a gap', () => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (let i = 0; i < 3; i++) doc.getArray('a').push([i])
    const coverage = new Coverage()
    coverage.add(updates[0]!)
    coverage.add(updates[2]!)
    expect(coverage.stateVector()).toEqual(new Map([[doc.clientID, 1]]))
    coverage.add(updates[1]!)
    expect(coverage.stateVector()).toEqual(new Map([[doc.clientID, 3]]))
  })
})

describe('backoff', () => {
  test('B1 is spread over everything below a bound that doubles up to 10 s', () => {
    expect([1, 2, 3, 5, 6, 50].map((failures) => backoffMs(failures, 0.999999))).toEqual([
      499, 999, 1999, 7999, 9999, 9999,
    ])
    expect(backoffMs(9, 0)).toBe(0)
  })
})

describe('merging', () => {
  test.each([0, 1, 2, 99, 100, 101, 10_001])('of %i updates keeps all of them', (count) => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (let i = 0; i < count; i++) doc.getMap('state').set(`k${i % 50}`, i)
    const merged = new Y.Doc()
    Y.applyUpdate(merged, mergeUpdates(updates))
    expect(merged.getMap('state').toJSON()).toEqual(doc.getMap('state').toJSON())
    expect(Y.encodeStateVector(merged)).toEqual(Y.encodeStateVector(doc))
  })
})
