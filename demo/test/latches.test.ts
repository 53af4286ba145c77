import { describe, expect, test } from 'vitest'
import { GAS } from '../src/model/guarded.js'
import { latchPrefix } from '../src/model/keys.js'
import { clearedBy, latchesInForce, pullLatch } from '../src/model/latches.js'
import { readTarget, targetValue } from '../src/model/target.js'
import { merge, type StateDouble, stateOn } from './space-double.js'

const entriesOf = (space: StateDouble) => space.entries(latchPrefix(GAS.entity))

describe('latches', () => {
  test('pulled apart from each other are both in force after the merge', () => {
    const [phone, tablet] = [stateOn(), stateOn()]
    pullLatch(phone, GAS.entity, 'phone', 'Phone', 1)
    pullLatch(tablet, GAS.entity, 'tablet', 'Tablet', 2)
    merge(phone.doc, tablet.doc)
    expect(latchesInForce(entriesOf(phone), {}).map(({ by }) => by)).toEqual(['Tablet', 'Phone'])
    expect(entriesOf(tablet)).toEqual(entriesOf(phone))
  })

  test('lifted by somebody who had not seen the latest pull stay in force for that one', () => {
    const space = stateOn()
    pullLatch(space, GAS.entity, 'phone', 'Phone', 1)
    const cleared = clearedBy(entriesOf(space))
    expect(latchesInForce(entriesOf(space), cleared)).toEqual([])
    pullLatch(space, GAS.entity, 'phone', 'Phone', 2)
    expect(latchesInForce(entriesOf(space), cleared)).toHaveLength(1)
  })

  test('that cannot be read hold the device', () => {
    const space = stateOn()
    space.set(`${latchPrefix(GAS.entity)}x`, 'nonsense')
    expect(latchesInForce(entriesOf(space), {})).toHaveLength(1)
  })
})

describe('a target', () => {
  test('of the unsafe side ends, of the safe side does not', () => {
    expect(readTarget(GAS, targetValue(GAS, 'open', 'Phone', {}, 1_000))?.until).toBe(31_000)
    expect(readTarget(GAS, targetValue(GAS, 'closed', 'Phone', {}, 1_000))?.until).toBeUndefined()
  })

  test('with a state that the device has not is none', () => {
    expect(readTarget(GAS, { state: 'ajar', by: 'Phone' })).toBeUndefined()
    expect(readTarget(GAS, null)).toBeUndefined()
  })
})
