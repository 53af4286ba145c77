import { type LineOptions, Random } from '@skein/simulator'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Direction } from '../../src/paths/real/direction.js'

const LINE: LineOptions = {
  delayMs: 25,
  jitter: 0,
  rate: Number.POSITIVE_INFINITY,
  burstEveryMs: 0,
  burstMs: 0,
}

describe('a direction of a line', () => {
  test('delays', () => {
    expect(direction(LINE).arrivalMs(100, 1_000)).toBe(125)
  })

  test('carries so many bytes a millisecond, one segment after the other', () => {
    const slow = direction({ ...LINE, rate: 10 })
    expect([slow.arrivalMs(0, 100), slow.arrivalMs(0, 200), slow.arrivalMs(1_000, 100)]).toEqual([
      35, 55, 1_035,
    ])
  })

  test('varies the delay by its share, and keeps the order', () => {
    const gaps = fc.array(fc.record({ afterMs: fc.nat(40), bytes: fc.integer({ min: 1, max: 3_000 }) }))
    fc.assert(
      fc.property(gaps, fc.nat(), (segments, seed) => {
        const line = direction({ ...LINE, jitter: 0.5, rate: 100, burstEveryMs: 200, burstMs: 50 }, seed)
        let [nowMs, lastMs] = [0, 0]
        for (const { afterMs, bytes } of segments) {
          nowMs += afterMs
          const arrivalMs = line.arrivalMs(nowMs, bytes)
          expect(arrivalMs).toBeGreaterThanOrEqual(Math.max(lastMs, nowMs + 12.5 + bytes / 100))
          lastMs = arrivalMs
        }
      }),
    )
    const alone = direction({ ...LINE, jitter: 0.3 })
    const delays = Array.from({ length: 1_000 }, (_, i) => alone.arrivalMs(i * 1_000, 100) - i * 1_000)
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(17.5)
    expect(Math.max(...delays)).toBeLessThan(32.5)
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(13)
  })

  test('a segment that is lost comes when it is sent again, and holds up what is behind it', () => {
    const line = direction({ ...LINE, burstEveryMs: 1_000, burstMs: 100 })
    let late = 0
    let lastMs = 0
    for (let nowMs = 0; nowMs < 20_000; nowMs += 10) {
      const arrivalMs = line.arrivalMs(nowMs, 100)
      expect(arrivalMs).toBeGreaterThanOrEqual(lastMs)
      lastMs = arrivalMs
      if (arrivalMs > nowMs + 25) late++
      // The first repetition comes after every burst.
      expect(arrivalMs - nowMs).toBeLessThanOrEqual(225)
    }
    // About 15 bursts of 100 ms, each followed by 100 ms more until its first segment is there.
    expect(late).toBeGreaterThan(100)
  })

  test('the same seed gives the same line', () => {
    const times = (seed: number) => {
      const line = direction({ ...LINE, jitter: 0.3, burstEveryMs: 300, burstMs: 50 }, seed)
      return Array.from({ length: 200 }, (_, i) => line.arrivalMs(i * 20, 100))
    }
    expect(times(1)).toEqual(times(1))
    expect(times(1)).not.toEqual(times(2))
  })

  test('a connection is open after its handshake, and what was before it does not hold it up', () => {
    const line = direction({ ...LINE, rate: 1 })
    line.arrivalMs(0, 60_000)
    line.begin(100, 50)
    expect(line.arrivalMs(100, 10)).toBe(185)
  })

  test('holes may overlap', () => {
    const line = direction(LINE)
    line.hole(0, 1_000)
    line.hole(500, 100)
    expect(line.holeEndsMs).toBe(1_000)
    line.hole(900, 1_000)
    expect(line.holeEndsMs).toBe(1_900)
  })
})

function direction(options: LineOptions, seed = 1): Direction {
  return new Direction(new Random(seed), options, 0)
}
