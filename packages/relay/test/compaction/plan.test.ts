import { describe, expect, test } from 'vitest'
import {
  ENTRIES_MAX,
  type LogEntry,
  MERGED_BYTES_MAX,
  planCompaction,
  REWRITE_BYTES_MAX,
} from '../../src/compaction/plan.js'

const entries = (...bytes: number[]): LogEntry[] => bytes.map((size, i) => ({ position: i + 1, bytes: size }))
const KIB = 1024

describe('L21 what to do with a log', () => {
  test('nothing with one entry, or none', () => {
    expect(planCompaction([], true, true)).toBeUndefined()
    expect(planCompaction(entries(10_000_000), true, true)).toBeUndefined()
  })

  test('in use it is rewritten when it has doubled, and has grown by a quarter of a MiB', () => {
    const whole = { kind: 'rewrite', from: 1, upTo: 2 }
    expect(planCompaction(entries(10 * KIB, 255 * KIB), false, true)).toBeUndefined()
    expect(planCompaction(entries(10 * KIB, 256 * KIB), false, true)).toEqual(whole)
    expect(planCompaction(entries(600 * KIB, 599 * KIB), false, true)).toBeUndefined()
    expect(planCompaction(entries(600 * KIB, 600 * KIB), false, true)).toEqual(whole)
  })

  test('at rest it is rewritten when an eighth is new', () => {
    expect(planCompaction(entries(80 * KIB, 9 * KIB), true, true)).toBeUndefined()
    expect(planCompaction(entries(80 * KIB, 10 * KIB), true, true)).toMatchObject({ kind: 'rewrite' })
    expect(planCompaction(entries(80 * KIB, 10 * KIB), false, true)).toBeUndefined()
    expect(planCompaction(entries(100, 3 * KIB), true, true)).toBeUndefined()
  })

  test('one that is too large, or that could not be rewritten, is merged where entries are many and alike', () => {
    const many = Array.from({ length: ENTRIES_MAX }, () => 100)
    const large = entries(REWRITE_BYTES_MAX, 1, ...many)
    expect(planCompaction(large, false, true)).toEqual({ kind: 'merge', from: 2, upTo: large.length })
    expect(planCompaction(large.slice(0, ENTRIES_MAX - 1), true, true)).toBeUndefined()
    const unlucky = entries(300 * KIB, ...many.map(() => KIB))
    expect(planCompaction(unlucky, false, false)).toEqual({ kind: 'merge', from: 1, upTo: unlucky.length })
  })

  test('a merged entry never goes over what a stock client has the patience for', () => {
    const pieces = entries(REWRITE_BYTES_MAX, ...Array.from({ length: ENTRIES_MAX }, () => 100 * KIB))
    const plan = planCompaction(pieces, false, true)!
    const merged = pieces.filter(({ position }) => position >= plan.from)
    expect(merged.length).toBeGreaterThan(10)
    expect(merged.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(MERGED_BYTES_MAX)
  })

  test('an entry is never merged with itself alone', () => {
    const many = Array.from({ length: ENTRIES_MAX }, () => 100)
    expect(planCompaction(entries(...many, 10), false, false)).toBeUndefined()
  })

  test('each byte is merged a bounded number of times, however long it goes on', () => {
    let log = entries(REWRITE_BYTES_MAX)
    let copied = 0
    let written = 0
    for (let position = 2; position < 100_000; position++) {
      log.push({ position, bytes: 100 })
      written += 100
      const plan = planCompaction(log, false, true)
      if (plan === undefined) continue
      const merged = log.filter((entry) => entry.position >= plan.from)
      const bytes = merged.reduce((sum, entry) => sum + entry.bytes, 0)
      copied += bytes
      log = [...log.filter((entry) => entry.position < plan.from), { position, bytes }]
    }
    expect(log.length).toBeLessThan(ENTRIES_MAX + 10)
    expect(copied).toBeLessThan(10 * written)
  })
})
