import { describe, expect, test } from 'vitest'
import { DIAL_LIMITS, type DialedPath, Dialer } from '../src/index.js'

const IDLE: DialedPath = {
  state: 'idle',
  isUnfit: false,
  attemptedMs: Number.NEGATIVE_INFINITY,
  isReady: false,
  isSilent: false,
  isInUse: false,
}
const CONNECTING: DialedPath = { ...IDLE, state: 'connecting', attemptedMs: 0 }
const OPEN: DialedPath = { ...IDLE, state: 'open', attemptedMs: 0, isReady: true }
const ACTIVE: DialedPath = { ...OPEN, isInUse: true }

describe('D1 attempts', () => {
  test('D1 one after the other, in their order, until two are open', () => {
    const dialer = new Dialer()
    expect(dialer.plan(0, [IDLE, IDLE, IDLE])).toMatchObject({ attempt: 0, rest: [] })
    expect(dialer.plan(0, [CONNECTING, IDLE, IDLE])).toEqual({ rest: [], dueMs: DIAL_LIMITS.staggerMs })
    expect(dialer.plan(10, [ACTIVE, IDLE, IDLE])).toEqual({ rest: [], dueMs: DIAL_LIMITS.staggerMs })
    expect(dialer.plan(250, [ACTIVE, IDLE, IDLE]).attempt).toBe(1)
    expect(dialer.plan(500, [ACTIVE, OPEN, IDLE])).toEqual({ rest: [], dueMs: Number.POSITIVE_INFINITY })
  })

  test('D1 at once where nothing is open and none is under way', () => {
    const dialer = new Dialer()
    dialer.plan(0, [IDLE, IDLE])
    expect(dialer.plan(5, [{ ...IDLE, state: 'waiting' }, IDLE]).attempt).toBe(1)
  })

  test('D1 none again before each has had its turn', () => {
    const dialer = new Dialer()
    const tried = (attemptedMs: number): DialedPath => ({ ...IDLE, attemptedMs })
    expect(dialer.plan(10_000, [tried(9_000), tried(8_000), IDLE]).attempt).toBe(2)
    expect(dialer.plan(20_000, [tried(9_000), tried(8_000), tried(10_000)]).attempt).toBe(1)
  })

  test('D1 never those that refused, nor beside others those that cannot be kept there', () => {
    const dialer = new Dialer()
    const refused: DialedPath = { ...IDLE, state: 'refused' }
    const unfit: DialedPath = { ...IDLE, isUnfit: true }
    expect(dialer.plan(1_000, [ACTIVE, refused, unfit]).attempt).toBeUndefined()
    expect(dialer.plan(1_000, [refused, unfit]).attempt).toBe(1)
  })
})

describe('D2 replacements', () => {
  test('D2 wait a random while as long as another path is open, and not at all where none is', () => {
    const dialer = new Dialer()
    dialer.lost(1_000, 0.5, true)
    expect(dialer.plan(1_000, [ACTIVE, IDLE])).toEqual({ rest: [], dueMs: 1_750 })
    dialer.lost(1_000, 0.5, false)
    expect(dialer.plan(1_000, [IDLE, IDLE]).attempt).toBe(0)
  })
})

describe('D3 what is counted on', () => {
  test('D3 one that is open and not ready for 2 s, or does not answer, is not', () => {
    const dialer = new Dialer()
    const mute: DialedPath = { ...OPEN, isReady: false }
    expect(dialer.plan(300, [mute, mute, IDLE])).toEqual({ rest: [], dueMs: DIAL_LIMITS.readyWithinMs })
    expect(dialer.plan(2_000, [mute, mute, IDLE]).attempt).toBe(2)
    const silent: DialedPath = { ...OPEN, isSilent: true }
    expect(new Dialer().plan(300, [ACTIVE, silent, IDLE]).attempt).toBe(2)
  })

  test('D3 of three the last that is not in use is let go, and so are attempts under way', () => {
    const dialer = new Dialer()
    expect(dialer.plan(5_000, [OPEN, ACTIVE, OPEN, CONNECTING]).rest).toEqual([3, 2])
    expect(dialer.plan(5_000, [OPEN, ACTIVE, ACTIVE]).rest).toEqual([0])
    expect(dialer.plan(5_000, [ACTIVE, OPEN, CONNECTING]).rest).toEqual([2])
  })
})
