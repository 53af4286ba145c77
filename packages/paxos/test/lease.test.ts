import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  applyOperation,
  type ClockReading,
  decodeLease,
  EMPTY_REGISTER,
  encodeLease,
  entryOf,
  LEASE_CLOCK,
  LEASE_LIMITS,
  LeaseChallenger,
  LeaseHolder,
  type LeaseTerm,
  type Operation,
  type Register,
} from '../src/index.js'

const TTL_MS = 9_000
const WAIT_MS = TTL_MS * (1 + LEASE_CLOCK.drift) + LEASE_CLOCK.marginMs
const DAY_MS = 86_400_000

/** The two clocks in step, `ms` after the start. */
const at = (ms: number): ClockReading => ({ monotonicMs: ms, wallMs: DAY_MS + ms })
const attempt = (sequence: number, client = 'agent') => ({ id: { client, sequence }, settled: 0 })
const holding = (term: Partial<LeaseTerm> = {}) =>
  new LeaseHolder({ holder: 'a', ttlMs: TTL_MS, sentAt: at(0), version: 1, fence: 1, ...term })

function apply(register: Register, operation: Operation | undefined) {
  if (operation === undefined) throw new Error('there is no operation')
  return applyOperation(register, operation)
}

/** What `a` acquired at 0. */
const HELD = apply(
  EMPTY_REGISTER,
  new LeaseChallenger().acquire(at(0), { holder: 'a', ttlMs: TTL_MS }, attempt(1)),
).register

describe('data', () => {
  test('L1 what was encoded is read again', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: LEASE_LIMITS.ttlMsMax }), (holder, ttlMs) => {
        expect(decodeLease(encodeLease({ holder, ttlMs }))).toEqual({
          kind: 'held',
          lease: { holder, ttlMs },
        })
      }),
    )
  })

  test('L1 a deleted register and a holder of null are free', () => {
    expect(decodeLease(undefined)).toEqual({ kind: 'free' })
    expect(decodeLease('{"holder":null,"ttlMs":5}')).toEqual({ kind: 'free' })
  })

  test.each([
    '',
    '{',
    'null',
    '1',
    '[]',
    '{}',
    '{"holder":1,"ttlMs":5}',
    '{"holder":"a"}',
    '{"holder":"a","ttlMs":0}',
    '{"holder":"a","ttlMs":-1}',
    '{"holder":"a","ttlMs":1.5}',
    '{"holder":"a","ttlMs":"5"}',
    `{"holder":"a","ttlMs":${LEASE_LIMITS.ttlMsMax + 1}}`,
    '{"holder":"a","ttlMs":1e999}',
  ])('L2 %j is malformed, and not taken over', (value) => {
    expect(decodeLease(value)).toEqual({ kind: 'malformed' })
    const challenger = new LeaseChallenger()
    challenger.observe(at(0), { value, version: 3, fence: 2 })
    expect(challenger.acquire(at(DAY_MS), { holder: 'b', ttlMs: TTL_MS }, attempt(1))).toBeUndefined()
  })

  test('L2 any text is read as something', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(['held', 'free', 'malformed']).toContain(decodeLease(text).kind)
      }),
    )
  })

  test('L1 a term that nobody could read is not written', () => {
    for (const ttlMs of [0, -1, 1.5, Number.NaN, LEASE_LIMITS.ttlMsMax + 1]) {
      expect(() => encodeLease({ holder: 'a', ttlMs })).toThrow(RangeError)
    }
  })
})

describe('holder', () => {
  test('L1 the term counts from before it was sent; a third of it later the renewal is due', () => {
    const holder = holding({ sentAt: at(100) })
    expect(holder.state(at(200))).toEqual({
      kind: 'held',
      renewAtMs: 100 + TTL_MS / 3,
      expiresAtMs: 100 + TTL_MS,
    })
  })

  test('L1 a renewal counts from before it was sent, not from its answer', () => {
    const holder = holding()
    const state = holder.renewed(at(5_000), at(3_000), 2)
    expect(state).toEqual({ kind: 'held', renewAtMs: 3_000 + TTL_MS / 3, expiresAtMs: 3_000 + TTL_MS })
  })

  test('L1 an answer to an older renewal changes nothing', () => {
    const holder = holding()
    holder.renewed(at(5_000), at(4_000), 3)
    expect(holder.renewed(at(5_100), at(3_000), 2)).toMatchObject({ expiresAtMs: 4_000 + TTL_MS })
  })

  test('L1 it renews what it has, under its own fence', () => {
    const { register, result } = apply(HELD, holding().renew(attempt(2)))
    expect(result).toEqual({ kind: 'done', version: 2, fence: 1 })
    expect(decodeLease(register.data)).toEqual({ kind: 'held', lease: { holder: 'a', ttlMs: TTL_MS } })
  })

  test.each([
    ['the wall clock went on during a sleep', { monotonicMs: 1_000, wallMs: DAY_MS + 60_000 }],
    ['the wall clock was put back', { monotonicMs: 1_000, wallMs: DAY_MS - 60_000 }],
    ['the monotonic clock went back', { monotonicMs: -1, wallMs: DAY_MS - 1 }],
  ])('L1 it is lost for ever when %s', (_, now) => {
    const holder = holding()
    expect(holder.state(now)).toEqual({ kind: 'lost', reason: 'clock-jump' })
    expect(holder.renewed(at(1_000), at(900), 2)).toEqual({ kind: 'lost', reason: 'clock-jump' })
  })

  test('L1 a slewed clock is no jump, what is beyond the tolerance is', () => {
    const elapsedMs = 6_000
    const toleratedMs = LEASE_CLOCK.jumpMs + elapsedMs * LEASE_CLOCK.slew
    for (const sign of [1, -1]) {
      const apart = (ms: number) => ({ monotonicMs: elapsedMs, wallMs: DAY_MS + elapsedMs + sign * ms })
      expect(holding().state(apart(toleratedMs)).kind).toBe('held')
      expect(holding().state(apart(toleratedMs + 1)).kind).toBe('lost')
    }
  })

  test('L4 it is lost when the term ends, not a millisecond later', () => {
    expect(holding().state(at(TTL_MS - 1)).kind).toBe('held')
    expect(holding().state(at(TTL_MS))).toEqual({ kind: 'lost', reason: 'expired' })
  })

  test('L4 a renewal that is heard of after the term does not bring it back', () => {
    const holder = holding()
    expect(holder.renewed(at(TTL_MS), at(3_000), 2)).toEqual({ kind: 'lost', reason: 'expired' })
    expect(holder.state(at(3_100))).toEqual({ kind: 'lost', reason: 'expired' })
  })

  test('L4 it is lost when a renewal was refused, and when it was released', () => {
    const refused = holding()
    refused.taken()
    expect(refused.state(at(1))).toEqual({ kind: 'lost', reason: 'taken' })
    const released = holding()
    released.release(attempt(2))
    expect(released.state(at(1))).toEqual({ kind: 'lost', reason: 'released' })
  })
})

describe('challenger', () => {
  const challenging = () => {
    const challenger = new LeaseChallenger()
    challenger.observe(at(0), entryOf(HELD))
    return challenger
  }
  const mine = { holder: 'b', ttlMs: TTL_MS }

  test('L2 it waits for the whole term, the drift and the margin', () => {
    const challenger = challenging()
    challenger.observe(at(4_000), entryOf(HELD))
    expect(challenger.state(at(WAIT_MS - 1))).toEqual({ kind: 'waiting', holder: 'a', untilMs: WAIT_MS })
    expect(challenger.acquire(at(WAIT_MS - 1), mine, attempt(1, 'b'))).toBeUndefined()
    expect(challenger.state(at(WAIT_MS))).toEqual({ kind: 'expired', holder: 'a' })
    expect(apply(HELD, challenger.acquire(at(WAIT_MS), mine, attempt(1, 'b'))).result.kind).toBe('done')
  })

  test('L2 a renewal that it sees begins the wait anew', () => {
    const challenger = challenging()
    challenger.observe(at(8_000), { ...entryOf(HELD), version: 2 })
    expect(challenger.state(at(WAIT_MS))).toMatchObject({ kind: 'waiting', untilMs: 8_000 + WAIT_MS })
  })

  test('L2 what is older than what it knows does not', () => {
    const challenger = new LeaseChallenger()
    challenger.observe(at(0), { ...entryOf(HELD), version: 2 })
    challenger.observe(at(8_000), entryOf(HELD))
    expect(challenger.state(at(WAIT_MS))).toEqual({ kind: 'expired', holder: 'a' })
    const operation = challenger.acquire(at(WAIT_MS), mine, attempt(1, 'b'))
    expect(operation).toMatchObject({ condition: { kind: 'version', version: 2 }, since: 2 })
  })

  test('L2 a renewal that it did not see refuses it', () => {
    const renewed = apply(HELD, holding().renew(attempt(2))).register
    const takeover = challenging().acquire(at(WAIT_MS), mine, attempt(1, 'b'))
    expect(apply(renewed, takeover).result).toEqual({ kind: 'conflict', current: entryOf(renewed) })
  })

  test.each([
    ['asked', (challenger: LeaseChallenger, now: ClockReading) => challenger.state(now)],
    ['told', (challenger: LeaseChallenger, now: ClockReading) => challenger.observe(now, entryOf(HELD))],
  ])('L2 a clock that jumped before it was %s begins the wait anew', (_, notice) => {
    const challenger = challenging()
    const slept = (ms: number) => ({ monotonicMs: ms, wallMs: DAY_MS + ms + 60_000 })
    notice(challenger, slept(8_000))
    expect(challenger.state(slept(WAIT_MS))).toMatchObject({ kind: 'waiting', untilMs: 8_000 + WAIT_MS })
    expect(challenger.state(slept(8_000 + WAIT_MS)).kind).toBe('expired')
  })

  test('L2 what is free it takes at once, with or without having looked', () => {
    const released = apply(HELD, holding().release(attempt(2))).register
    const looked = new LeaseChallenger()
    looked.observe(at(0), entryOf(released))
    expect(looked.state(at(0))).toEqual({ kind: 'free' })
    expect(apply(released, looked.acquire(at(0), mine, attempt(1, 'b'))).result.kind).toBe('done')
    const blind = new LeaseChallenger()
    expect(blind.state(at(0))).toEqual({ kind: 'unknown' })
    expect(apply(released, blind.acquire(at(0), mine, attempt(1, 'b'))).result.kind).toBe('done')
    expect(apply(HELD, blind.acquire(at(0), mine, attempt(1, 'b'))).result.kind).toBe('conflict')
  })

  test('L3 taking over and releasing raise the fence, renewing does not; who lost it can do neither', () => {
    const renewed = apply(HELD, holding().renew(attempt(2))).register
    expect(renewed.fence).toBe(HELD.fence)
    const challenger = new LeaseChallenger()
    challenger.observe(at(0), entryOf(renewed))
    const taken = apply(renewed, challenger.acquire(at(WAIT_MS), mine, attempt(1, 'b'))).register
    expect(taken.fence).toBe(HELD.fence + 1)
    expect(apply(taken, holding().renew(attempt(3))).result.kind).toBe('conflict')
    expect(apply(taken, holding().release(attempt(4))).result.kind).toBe('conflict')
    const own = holding({ fence: taken.fence, version: taken.version })
    expect(apply(taken, own.release(attempt(5))).register.fence).toBe(taken.fence + 1)
  })
})

test('L4 no two hold it at a time, whatever the clocks do within what is allowed', () => {
  const rate = fc.double({ min: 0.996, max: 1.004, noNaN: true })
  const ms = (max: number) => fc.integer({ min: 0, max })
  fc.assert(
    fc.property(
      fc.record({ ttlMs: fc.integer({ min: 1, max: 60_000 }), holderRate: rate, challengerRate: rate }),
      fc.record({ sleepAtMs: ms(60_000), sleepMs: ms(LEASE_CLOCK.jumpMs - 1), decidedMs: ms(1_000) }),
      ({ ttlMs, holderRate, challengerRate }, { sleepAtMs, sleepMs, decidedMs }) => {
        // While it sleeps the holder's monotonic clock stands still. Wall clocks are in step with their own rates.
        const holderClock = (realMs: number) => {
          const slept = Math.min(Math.max(realMs - sleepAtMs, 0), sleepMs)
          return { monotonicMs: (realMs - slept) * holderRate, wallMs: (realMs - slept) * holderRate + slept }
        }
        const challengerClock = (realMs: number) => ({
          monotonicMs: realMs * challengerRate,
          wallMs: realMs * challengerRate,
        })
        const holder = holding({ sentAt: holderClock(0), ttlMs })
        const challenger = new LeaseChallenger()
        challenger.observe(challengerClock(decidedMs), {
          ...entryOf(HELD),
          value: encodeLease({ holder: 'a', ttlMs }),
        })
        const waiting = challenger.state(challengerClock(decidedMs))
        if (waiting.kind !== 'waiting') throw new Error(`the challenger is ${waiting.kind}`)
        const earliestMs = waiting.untilMs / challengerRate + 0.001
        expect(challenger.state(challengerClock(earliestMs)).kind).toBe('expired')
        expect(holder.state(holderClock(earliestMs)).kind).toBe('lost')
      },
    ),
    { numRuns: 2_000 },
  )
})
