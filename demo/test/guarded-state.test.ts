import { describe, expect, test } from 'vitest'
import { FRONT_DOOR, GAS } from '../src/model/guarded.js'
import { guardedState } from '../src/model/guarded-state.js'
import { latchPrefix } from '../src/model/keys.js'
import { clearedBy, pullLatch } from '../src/model/latches.js'
import { targetValue } from '../src/model/target.js'
import { stateOn } from './space-double.js'

const NOW = 1_000_000
const unlocked = { value: targetValue(FRONT_DOOR, 'unlocked', 'Phone', {}, NOW), version: 8, fence: 8 }

describe('what is shown of a guarded entity', () => {
  test('a decision that the device has not done yet is on its way', () => {
    const state = guardedState(FRONT_DOOR, unlocked, [], { state: 'locked', fence: 7 }, NOW)
    expect(state).toMatchObject({ wanted: 'unlocked', reported: 'locked', moving: true })
    expect(state.decided?.target?.by).toBe('Phone')
  })

  test('before anything is heard of the relays it is what the device reports, without a version', () => {
    const state = guardedState(FRONT_DOOR, undefined, [], { state: 'unlocked', fence: 8 }, NOW)
    expect(state).toMatchObject({ wanted: 'unlocked', decided: undefined, moving: false })
  })

  test('nobody has decided yet: its safe state', () => {
    const never = { value: undefined, version: 0, fence: 0 }
    expect(guardedState(GAS, never, [], {}, NOW)).toMatchObject({ wanted: 'closed' })
  })

  test('a door that has shut itself is locked, also where no relay could be told', () => {
    const shut = { state: 'locked', fence: 8 }
    expect(guardedState(FRONT_DOOR, unlocked, [], shut, NOW + 1_000).wanted).toBe('unlocked')
    expect(guardedState(FRONT_DOOR, unlocked, [], shut, NOW + 31_000).wanted).toBe('locked')
  })

  test('a command that the device refused is not what it is', () => {
    const open = { value: targetValue(GAS, 'open', 'Phone', {}, NOW), version: 2, fence: 2 }
    const done = { state: 'closed', fence: 2, refused: 'open with fence 2: it came too late' }
    expect(guardedState(GAS, open, [], done, NOW)).toMatchObject({ wanted: 'closed', moving: false })
  })

  test('a latch holds it until a decision lifts it', () => {
    const space = stateOn()
    pullLatch(space, GAS.entity, 'phone', 'Phone', NOW)
    const latches = space.entries(latchPrefix(GAS.entity))
    const at = (cleared: Record<string, number>) => ({
      value: targetValue(GAS, 'open', 'Phone', cleared, NOW),
      version: 2,
      fence: 2,
    })
    expect(guardedState(GAS, at({}), latches, {}, NOW)).toMatchObject({ wanted: 'closed' })
    expect(guardedState(GAS, at(clearedBy(latches)), latches, {}, NOW)).toMatchObject({ wanted: 'open' })
  })
})
