import { type ClockReading, encodeLease } from '@skein/paxos'
import { expect, onTestFinished, test, vi } from 'vitest'
import { joinSpace, LeaseLost } from '../../src/node.js'
import { HeldLease, type LeaseDeps } from '../../src/strong/lease-keeper.js'
import type { WriteOutcome } from '../../src/strong/writer.js'
import { joinForTest, until } from '../helpers.js'
import { ScriptedRegion } from './scripted-region.js'

const KEY = 'task/1/owner'

async function joined(relay?: ScriptedRegion) {
  const region = relay ?? (await ScriptedRegion.start())
  const space = await joinForTest('home', { relays: [region.url], strong: ['task/'] })
  await space.strong.get('task/0')
  return { relay: region, space, strong: space.strong }
}

test('T18 a free key is taken at once, one that is held when it is released', async () => {
  const { relay, strong } = await joined()
  const { strong: other } = await joined(relay)
  const lease = await strong.lease(KEY, { ttlMs: 60_000, holder: 'a' })
  expect([lease.key, lease.fence, lease.held, lease.signal.aborted]).toEqual([KEY, 1, true, false])
  expect(JSON.parse(relay.entry(KEY).value!)).toEqual({ holder: 'a', ttlMs: 60_000 })
  const waiting = other.lease(KEY, { ttlMs: 60_000, holder: 'b', deadlineMs: 30_000 })
  await until('it watches', () => relay.asked('watch').length === 1)
  await lease.release()
  const next = await waiting
  expect(next.fence).toBeGreaterThan(lease.fence)
  expect([lease.held, next.held]).toEqual([false, true])
  expect(lease.signal.reason).toMatchObject({ code: 'lease-lost', reason: 'released', fence: 1 })
  await lease.release()
  await next[Symbol.asyncDispose]()
  expect(relay.entry(KEY).value).toBeUndefined()
})

test('T18 a holder that fell silent is followed after its term, another waits to the deadline', async () => {
  const { relay, strong } = await joined()
  relay.write(KEY, encodeLease({ holder: 'dead', ttlMs: 50 }), 1)
  const conflict = { code: 'conflict', applied: 'no', current: { value: { holder: 'dead', ttlMs: 50 } } }
  await expect(strong.lease(KEY, { ttlMs: 1_000, deadlineMs: 100 })).rejects.toMatchObject(conflict)
  const begun = performance.now()
  const lease = await strong.lease(KEY, { ttlMs: 1_000 })
  expect(performance.now() - begun).toBeGreaterThanOrEqual(50)
  expect(lease.fence).toBe(2)
  await lease.release()
})

test('T18 what is no lease is a conflict at once', async () => {
  const { relay, strong } = await joined()
  relay.write(KEY, '"something"', 1)
  const taken = strong.lease(KEY, { ttlMs: 1_000, deadlineMs: 60_000 })
  await expect(taken).rejects.toMatchObject({ code: 'conflict', current: { value: 'something' } })
})

test('T19 it renews itself under its fence, over lost connections, too; another who takes it ends it', async () => {
  const { relay, strong } = await joined()
  const lease = await strong.lease(KEY, { ttlMs: 9_000 })
  await lease.renew()
  expect(relay.entry(KEY)).toMatchObject({ version: 2, fence: 1 })
  relay.drop()
  await until('it is renewed by itself', () => relay.entry(KEY).version >= 3)
  expect(lease.held).toBe(true)
  expect(relay.entry(KEY).fence).toBe(1)
  relay.write(KEY, encodeLease({ holder: 'thief', ttlMs: 3_000 }), 1)
  await until('it is told', () => lease.signal.aborted)
  expect(lease.signal.reason).toBeInstanceOf(LeaseLost)
  expect(lease.signal.reason).toMatchObject({ reason: 'taken' })
  await expect(lease.renew()).rejects.toMatchObject({ code: 'lease-lost' })
  await lease.release()
  expect(relay.entry(KEY).value).toContain('thief')
})

test('T19 without renewals it ends with its term', async () => {
  const { relay, strong } = await joined()
  const begun = performance.now()
  const lease = await strong.lease(KEY, { ttlMs: 300 })
  relay.script = ({ request }) => request.kind === 'write'
  await until('it is lost', () => lease.signal.aborted)
  expect(lease.signal.reason).toMatchObject({ reason: 'expired' })
  expect(performance.now() - begun).toBeGreaterThanOrEqual(299)
})

/** A lease on clocks of the test, and what its writes come to. */
function heldOnTestClock(ttlMs: number) {
  let now: ClockReading = { monotonicMs: 0, wallMs: 1_000_000 }
  const writes: ((outcome: WriteOutcome) => void)[] = []
  const deps: LeaseDeps = {
    write: () => new Promise((resolve) => writes.push(resolve)),
    forget: () => {},
    watch: () => () => {},
    errorOf: (_key, { kind }) => new Error(kind),
    clock: () => now,
  }
  const lease = new HeldLease(deps, KEY, { holder: 'a', ttlMs, sentAt: now, version: 1, fence: 7 })
  onTestFinished(() => lease.end('left'))
  const setClock = (monotonicMs: number, sleptMs = 0) => {
    now = { monotonicMs, wallMs: 1_000_000 + monotonicMs + sleptMs }
  }
  return { lease, writes, setClock }
}

test('T19 a term counts from before the renewal was sent', async () => {
  const { lease, writes, setClock } = heldOnTestClock(60_000)
  setClock(30_000)
  const renewed = lease.renew()
  setClock(50_000)
  writes[0]!({ kind: 'done', version: 2, fence: 7 })
  await renewed
  setClock(89_999)
  expect(lease.held).toBe(true)
  setClock(90_000)
  expect(lease.held).toBe(false)
  expect(lease.signal.reason).toMatchObject({ reason: 'expired', fence: 7 })
})

test('T19 a clock that jumps loses it, and a renewal that comes after does not bring it back', async () => {
  const { lease, writes, setClock } = heldOnTestClock(60_000)
  const renewed = lease.renew()
  setClock(1_000, 10_000)
  expect(lease.held).toBe(false)
  expect(lease.signal.reason).toMatchObject({ reason: 'clock-jump' })
  writes[0]!({ kind: 'done', version: 2, fence: 7 })
  await expect(renewed).rejects.toMatchObject({ code: 'lease-lost', reason: 'clock-jump' })
})

test('T19 a renewal that failed leaves it held, and is tried again', async () => {
  const { lease, writes, setClock } = heldOnTestClock(3_000)
  const renewed = lease.renew()
  writes[0]!({ kind: 'unavailable', reason: 'no-quorum' })
  await expect(renewed).rejects.toThrow('unavailable')
  expect(lease.held).toBe(true)
  setClock(1_500)
  await until('it is tried again', () => writes.length === 2)
  expect(lease.held).toBe(true)
})

test('T19 leaving while a renewal is under way ends it for good, and no timer goes on', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const { lease, writes } = heldOnTestClock(300)
  const renewal = lease.renew()
  lease.end('left')
  expect([lease.signal.aborted, lease.held]).toEqual([true, false])
  writes[0]!({ kind: 'unavailable', reason: 'offline' })
  await expect(renewal).rejects.toMatchObject({ code: 'lease-lost', reason: 'left' })
  await expect(lease.renew()).rejects.toMatchObject({ code: 'lease-lost', reason: 'left' })
  expect(vi.getTimerCount()).toBe(0)
  expect(writes).toHaveLength(1)
})

test('T18 leaving ends the waiting for one that another holds', async () => {
  const relay = await ScriptedRegion.start()
  const space = await joinSpace('home', { relays: [relay.url], strong: ['task/'] })
  relay.write(KEY, encodeLease({ holder: 'another', ttlMs: 60_000 }), 1)
  const taken = space.strong.lease(KEY, { ttlMs: 1_000, deadlineMs: 60_000 })
  const refused = expect(taken).rejects.toMatchObject({ code: 'left' })
  await until('it watches', () => relay.asked('watch').length === 1)
  await space.leave()
  await refused
})

test('T20 leaving releases the leases', async () => {
  const relay = await ScriptedRegion.start()
  const space = await joinSpace('home', { relays: [relay.url], strong: ['task/'] })
  const lease = await space.strong.lease(KEY, { ttlMs: 60_000 })
  expect(relay.entry(KEY).value).toBeDefined()
  await space.leave()
  expect(relay.entry(KEY).value).toBeUndefined()
  expect(lease.signal.reason).toMatchObject({ code: 'lease-lost' })
})
