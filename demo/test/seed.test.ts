import { describe, expect, test } from 'vitest'
import { homeOf } from '../src/model/home.js'
import { homePlan, plannedEntities } from '../src/model/plan.js'
import { seedHome } from '../src/model/seed.js'
import { merge, type StateDouble, stateOn } from './space-double.js'

describe('seeding the home', () => {
  test('an empty space gets every key of the plan', () => {
    const space = stateOn()
    expect(seedHome(space)).toBe(homePlan().length)
    expect(new Map(space.entries())).toEqual(new Map(homePlan()))
  })

  test('a second start writes nothing at all', () => {
    const space = stateOn()
    seedHome(space)
    let updates = 0
    space.doc.on('update', () => {
      updates += 1
    })
    expect(seedHome(space)).toBe(0)
    expect(updates).toBe(0)
  })

  test('two seeders at the same moment end with the same home, once', () => {
    const [a, b] = [stateOn(), stateOn()]
    seedHome(a)
    seedHome(b)
    merge(a.doc, b.doc)
    expect(a.entries()).toEqual(b.entries())
    expect(homeIn(a)).toEqual(homeIn(b))
    const alone = stateOn()
    seedHome(alone)
    expect(homeIn(a)).toEqual(homeIn(alone))
  })

  test('what somebody renamed before stays renamed', () => {
    const space = stateOn()
    space.set('area/kitchen', { name: 'Galley', order: 0 })
    seedHome(space)
    expect(space.get('area/kitchen')).toEqual({ name: 'Galley', order: 0 })
  })

  test('only missing keys are written: half a home is completed', () => {
    const space = stateOn()
    const half = homePlan().filter((_, index) => index % 2 === 0)
    for (const [key, value] of half) space.set(key, value)
    expect(seedHome(space)).toBe(homePlan().length - half.length)
  })
})

describe('the plan', () => {
  test('every entity belongs to a device in an area, so all of it is shown', () => {
    const space = stateOn()
    seedHome(space)
    const shown = homeIn(space).flatMap((area) => area.entities.map((entity) => entity.id))
    expect(shown.sort()).toEqual(
      plannedEntities()
        .map(({ entity }) => entity)
        .sort(),
    )
  })

  test('says that its devices are simulated', () => {
    const devices = homePlan().filter(([key]) => key.startsWith('device/'))
    expect(devices.length).toBeGreaterThan(0)
    for (const [, device] of devices) expect(device).toMatchObject({ manufacturer: 'Simulated' })
  })
})

function homeIn(space: StateDouble) {
  return homeOf(space.entries('area/'), space.entries('device/'), space.entries('entity/'))
}
