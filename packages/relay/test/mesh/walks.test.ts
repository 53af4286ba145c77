import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { memoryLog } from '../../src/index.js'
import { Walks } from '../../src/mesh/walks.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Rooms of a log, and another relay that gets them a moment later. */
async function world(count: number, tookMs = 1) {
  const log = memoryLog()
  const names = Array.from({ length: count }, (_, i) => `s${String(i).padStart(4, '0')}`)
  for (const name of names) await log.append(name, [{ position: 1, update: Uint8Array.of(0, 0) }])
  const visited: string[] = []
  const state = { isConnected: true }
  let present = 0
  let most = 0
  const join = async (space: string) => {
    visited.push(space)
    most = Math.max(most, ++present)
    await new Promise((resolve) => setTimeout(resolve, tookMs))
    return { isAt: () => true, leave: () => present-- }
  }
  const walks = new Walks({
    log,
    rooms: () => ({ join }) as never,
    newPeerId: () => 1,
    isConnected: () => state.isConnected,
    isRefused: () => false,
    onError: (error) => {
      throw error
    },
  })
  return { walks, visited, names, state, most: () => most }
}

describe('walks', () => {
  test('Y6 all rooms are visited once, in pages, four at a time', async () => {
    const { walks, visited, names, most } = await world(250)
    walks.connected('r2')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(visited).toEqual(names)
    expect(most()).toBe(4)
    expect(walks.isUpToDate('r2')).toBe(true)
    walks.connected('r2')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(visited).toHaveLength(250)
    walks.stop()
  })

  test('Y6 what a member misses behind a walk is brought by the next one', async () => {
    // It takes longer than the pause before what was missed is tried.
    const { walks, visited } = await world(100, 600)
    walks.connected('r2')
    await vi.advanceTimersByTimeAsync(5)
    walks.missed('r2')
    await vi.advanceTimersByTimeAsync(16_000)
    expect([visited.length, walks.isUpToDate('r2')]).toEqual([100, false])
    await vi.advanceTimersByTimeAsync(26_000)
    expect([visited.length, walks.isUpToDate('r2')]).toEqual([200, true])
    walks.stop()
  })

  test('Y6 a member that goes and comes again while it is being brought rooms is brought all of them', async () => {
    const { walks, visited, state } = await world(100)
    walks.connected('r2')
    await vi.advanceTimersByTimeAsync(5)
    state.isConnected = false
    walks.disconnected('r2', [])
    state.isConnected = true
    walks.connected('r2')
    await vi.advanceTimersByTimeAsync(12_000)
    expect([visited.length, walks.isUpToDate('r2')]).toEqual([200, true])
    walks.stop()
  })
})
