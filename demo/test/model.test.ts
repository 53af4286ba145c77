import { describe, expect, test } from 'vitest'
import { convergenceOf, summarize } from '../src/model/convergence.js'
import { fieldState } from '../src/model/field-state.js'
import { FIELDS } from '../src/model/fields.js'
import { homeOf } from '../src/model/home.js'
import { desiredKey, parseEntityId, parseFieldKey, reportedKey } from '../src/model/keys.js'
import { OWN_WRITE_FRESH_MS, OwnWrites } from '../src/model/own-writes.js'
import { merge, stateOn } from './space-double.js'

describe('keys', () => {
  test('a field key is taken apart as it was put together', () => {
    const at = { entity: 'light.hall', field: 'on' } as const
    expect(parseFieldKey(desiredKey('light.hall', 'on'))).toEqual({ side: 'desired', ...at })
    expect(parseFieldKey(reportedKey('light.hall', 'on'))).toEqual({ side: 'reported', ...at })
  })

  test.each(['', 'light', 'light.', '.hall', 'toaster.hall', 'light.a/b'])('%j is no entity id', (id) => {
    expect(parseEntityId(id)).toBeUndefined()
  })

  test.each([
    'area/x',
    'desired/light.hall',
    'desired/light.hall/on/x',
    'desired//on',
    'wanted/light.hall/on',
  ])('%j is no field key', (key) => {
    expect(parseFieldKey(key)).toBeUndefined()
  })
})

describe('merging', () => {
  test('brightness set by one agent and colour set by another are both kept', () => {
    const [a, b] = [stateOn(), stateOn()]
    a.set(desiredKey('light.hall', 'brightness'), 30)
    b.set(desiredKey('light.hall', 'color'), '#6f9bff')
    merge(a.doc, b.doc)
    for (const space of [a, b]) {
      expect(space.get(desiredKey('light.hall', 'brightness'))).toBe(30)
      expect(space.get(desiredKey('light.hall', 'color'))).toBe('#6f9bff')
    }
  })
})

describe('a field', () => {
  test('is pending while what is wanted is unlike what is reported', () => {
    expect(fieldState(30, 80)).toEqual({ wanted: 30, reported: 80, pending: true })
    expect(fieldState(30, undefined).pending).toBe(true)
    expect(fieldState(30, 30).pending).toBe(false)
  })

  test('that nobody wanted anything of shows what is reported, and is not pending', () => {
    expect(fieldState(undefined, 80)).toEqual({ wanted: 80, reported: 80, pending: false })
  })

  test('clamps numbers to its range and rounds them to its step', () => {
    expect(FIELDS.light.brightness?.accept(140)).toBe(100)
    expect(FIELDS.light.brightness?.accept(33.4)).toBe(33)
    expect(FIELDS.climate.target?.accept(21.3)).toBe(21.5)
    expect(FIELDS.climate.current?.accept(20.1 + 0.2)).toBe(20.3)
  })

  test.each([
    ['light', 'on', 'toggle'],
    ['light', 'brightness', Number.NaN],
    ['light', 'color', 'red'],
    ['climate', 'mode', 'defrost'],
    ['cover', 'position', null],
  ] as const)('%s %s takes no %j', (domain, field, value) => {
    expect(FIELDS[domain][field]?.accept(value)).toBeUndefined()
  })
})

describe('the home', () => {
  test('leaves out what is malformed or leads nowhere, and shows the rest', () => {
    const areas = homeOf(
      [
        ['area/b', { name: 'B', order: 1 }],
        ['area/a', { name: 'A', order: 0 }],
        ['area/bad', 'no record'],
      ],
      [
        ['device/lamp', { name: 'Lamp', area_id: 'a' }],
        ['device/adrift', { name: 'Adrift' }],
      ],
      [
        ['entity/light.good', { device_id: 'lamp', name: 'Good' }],
        ['entity/light.adrift', { device_id: 'adrift', name: 'Adrift' }],
        ['entity/light.orphan', { device_id: 'gone', name: 'Orphan' }],
        ['entity/light.null', null],
        ['entity/toaster.x', { device_id: 'lamp', name: 'Toaster' }],
      ],
    )
    expect(areas.map((area) => [area.name, area.entities.map((entity) => entity.name)])).toEqual([
      ['A', ['Good']],
      ['B', []],
    ])
  })
})

describe('convergence', () => {
  const present = (clientId: number, digest: string | undefined, isSelf = false) => ({
    clientId,
    isSelf,
    state: { name: `agent ${clientId}`, ...(digest === undefined ? {} : { digest }) },
  })

  test('counts the agents whose digest equals the own one, this agent included', () => {
    const agents = summarize([present(1, 'x', true), present(2, 'x'), present(3, 'y')], 'x')
    expect(convergenceOf(agents)).toEqual({ converged: 2, total: 3 })
  })

  test('goes by the own digest of now, not by the one this agent published', () => {
    const agents = summarize([present(1, 'old', true), present(2, 'old')], 'new')
    expect(convergenceOf(agents)).toEqual({ converged: 1, total: 2 })
  })

  test('an agent that has not published a digest does not count as converged', () => {
    expect(convergenceOf(summarize([present(1, 'x', true), present(2, undefined)], 'x')).converged).toBe(1)
  })

  test('lists this agent first', () => {
    expect(summarize([present(1, 'x'), present(2, 'x', true)], 'x')[0]?.isSelf).toBe(true)
  })
})

describe('own writes', () => {
  test('a different value that comes within seconds tells which own value it replaced, once', () => {
    const own = new OwnWrites()
    own.wrote('k', 80)
    own.confirm(own.latest, 0)
    expect(own.replaced('k', 20, 1_000)).toBe(80)
    expect(own.replaced('k', 25, 1_100)).toBeUndefined()
  })

  test('the same value from elsewhere replaces nothing', () => {
    const own = new OwnWrites()
    own.wrote('k', 80)
    expect(own.replaced('k', 80, 0)).toBeUndefined()
  })

  test('a value that was confirmed long ago is nobody’s loss any more', () => {
    const own = new OwnWrites()
    own.wrote('k', 80)
    own.confirm(own.latest, 0)
    expect(own.replaced('k', 20, OWN_WRITE_FRESH_MS + 1)).toBeUndefined()
  })

  test('a value that still waits for a relay stays fresh, however long', () => {
    const own = new OwnWrites()
    own.wrote('k', 80)
    expect(own.waits('k')).toBe(true)
    expect(own.replaced('k', 20, 86_400_000)).toBe(80)
  })

  test('a confirmation does not cover what was written after it was asked for', () => {
    const own = new OwnWrites()
    own.wrote('k', 1)
    const asked = own.latest
    own.wrote('k', 2)
    own.confirm(asked, 0)
    expect(own.waits('k')).toBe(true)
  })
})
