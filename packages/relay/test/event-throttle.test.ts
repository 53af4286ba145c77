import { describe, expect, test } from 'vitest'
import { EventThrottle } from '../src/event-throttle.js'

describe('throttle', () => {
  /** How many of so many events of a kind at one time are let through. */
  const flood = (throttle: EventThrottle, kind: string, nowMs: number, count: number) =>
    Array.from({ length: count }, () => throttle.admit(kind, nowMs)).filter(Boolean).length

  test('L18 the first few of a second are admitted, the rest are counted and told once', () => {
    const throttle = new EventThrottle(3)
    expect(flood(throttle, 'a', 0, 10)).toBe(3)
    expect(throttle.ended(999)).toEqual([])
    expect(throttle.ended(1_000)).toEqual([{ kind: 'a', suppressed: 7 }])
    expect(throttle.ended(1_000)).toEqual([])
    expect(flood(throttle, 'a', 1_000, 10)).toBe(3)
  })

  test('L18 kinds do not take each other their lines', () => {
    const throttle = new EventThrottle(1)
    expect(flood(throttle, 'a', 0, 5)).toBe(1)
    expect(flood(throttle, 'b', 500, 2)).toBe(1)
    expect(throttle.ended(1_200)).toEqual([{ kind: 'a', suppressed: 4 }])
    expect(throttle.ended(1_500)).toEqual([{ kind: 'b', suppressed: 1 }])
  })

  test('L18 where nothing was left out nothing is summed up', () => {
    const throttle = new EventThrottle(3)
    expect(flood(throttle, 'a', 0, 3)).toBe(3)
    expect(throttle.ended(5_000)).toEqual([])
  })
})
