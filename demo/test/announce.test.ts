import type { Json, Space, Status } from '@skein/agent'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { ANNOUNCE_GAP_MS, announce } from '../src/agent/announce.js'

describe('announcing', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('tells digest and connection at the start', () => {
    const { space, told } = agent()
    announce(space)
    expect(told).toEqual([{ digest: '0', path: 'none', roundTripMs: null, queued: 0 }])
  })

  test('while edits pour in, tells at most twice a second', () => {
    const { space, told, edit } = agent()
    announce(space)
    for (let ms = 0; ms < 5_000; ms += 10) {
      edit()
      vi.advanceTimersByTime(10)
    }
    expect(told.length).toBeGreaterThan(5)
    expect(told.length).toBeLessThanOrEqual(1 + 5_000 / ANNOUNCE_GAP_MS)
  })

  test('tells the state after the last edit', () => {
    const { space, told, edit } = agent()
    announce(space)
    for (let i = 0; i < 7; i += 1) edit()
    vi.advanceTimersByTime(ANNOUNCE_GAP_MS)
    expect(told.at(-1)).toMatchObject({ digest: '7' })
  })

  test('tells nothing twice', () => {
    const { space, told, changeStatus } = agent()
    announce(space)
    changeStatus()
    vi.advanceTimersByTime(10 * ANNOUNCE_GAP_MS)
    expect(told).toHaveLength(1)
  })

  test('ends when told to', () => {
    const { space, told, edit } = agent()
    const end = announce(space)
    edit()
    end()
    edit()
    vi.advanceTimersByTime(10 * ANNOUNCE_GAP_MS)
    expect(told).toHaveLength(1)
  })
})

/** As much of a space as announcing asks for; its digest is the number of edits. */
function agent() {
  const doc = new Y.Doc()
  const told: Record<string, Json>[] = []
  const listeners = new Set<(status: Status) => void>()
  const status = { path: undefined, queued: 0 } as unknown as Status
  let edits = 0
  const space = {
    doc,
    status,
    digest: () => String(edits),
    onStatus: (listener: (status: Status) => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    presence: { set: (fields: Record<string, Json>) => told.push(fields) },
  } as unknown as Space
  return {
    space,
    told,
    edit() {
      edits += 1
      doc.getMap('state').set('edits', edits)
    },
    changeStatus() {
      for (const listener of listeners) listener(status)
    },
  }
}
