import { describe, expect, test } from 'vitest'
import { Blind } from '../src/devices/blind.js'
import { Bridge } from '../src/devices/bridge.js'
import { Fleet } from '../src/devices/fleet.js'
import { Lamp } from '../src/devices/lamp.js'
import { READING_EVERY_MS, Room } from '../src/devices/room.js'
import { desiredKey, reportedKey } from '../src/model/keys.js'
import { stateOn } from './space-double.js'

const random = () => 0.5
const dimmed = desiredKey('light.hall', 'brightness')
const reported = reportedKey('light.hall', 'brightness')

describe('the bridge', () => {
  test('reports what is wanted only when the device has done it', () => {
    const { space, bridge, lamp } = homeWithLamp()
    space.set(dimmed, 30)
    bridge.report()
    expect(space.get(reported)).toBe(80)
    lamp.advance(1_000)
    bridge.report()
    expect(space.get(reported)).toBe(30)
  })

  test('writes nothing while there is no news', () => {
    const { space, bridge } = homeWithLamp()
    let updates = 0
    space.doc.on('update', () => {
      updates += 1
    })
    bridge.report()
    expect(updates).toBe(0)
  })

  test('carries out after a restart what was wanted meanwhile, from where the device was', () => {
    const { space, bridge } = homeWithLamp()
    bridge.end()
    space.set(reported, 55)
    space.set(dimmed, 30)
    const lamp = new Lamp('light.hall', { on: false, brightness: 80 }, random)
    const next = new Bridge(space, [lamp], () => 5_000)
    expect(lamp.state.brightness).toBe(55)
    lamp.advance(6_000)
    next.report()
    expect(space.get(reported)).toBe(30)
  })

  test('a value that is of no use to the device is not passed on', () => {
    const { space, bridge, lamp } = homeWithLamp()
    space.set(dimmed, 'bright')
    space.set('desired/light.hall/smell', 1)
    lamp.advance(1_000)
    bridge.report()
    expect(space.get(reported)).toBe(80)
    expect(space.get('reported/light.hall/smell')).toBeUndefined()
  })

  test('writes no key but reported ones', () => {
    const space = stateOn()
    const fleet = new Fleet(random)
    const bridge = new Bridge(space, fleet.devices, () => 0)
    for (let now = 0; now < 60_000; now += 500) {
      fleet.advance(now)
      bridge.report()
    }
    expect(space.entries().filter(([key]) => !key.startsWith('reported/'))).toEqual([])
  })
})

describe('a lamp', () => {
  test('follows a slider that never rests', () => {
    const lamp = new Lamp('light.hall', { on: true, brightness: 0 }, random)
    for (let now = 0; now <= 1_000; now += 20) {
      lamp.command('brightness', now / 20, now)
      lamp.advance(now)
    }
    expect(lamp.state.brightness).toBeGreaterThan(30)
  })
})

describe('a blind', () => {
  test('moves gradually and stops at its goal', () => {
    const blind = new Blind('cover.a', 0)
    blind.advance(0)
    blind.command('position', 50, 0)
    blind.advance(1_000)
    expect(blind.state.position).toBeGreaterThan(0)
    expect(blind.state.position).toBeLessThan(50)
    for (let now = 1_000; now <= 10_000; now += 100) blind.advance(now)
    expect(blind.state.position).toBe(50)
  })
})

describe('a room', () => {
  test('heated, it warms up to the target and stays there', () => {
    const room = roomAfter(20 * 60_000, 'heat', 22)
    expect(room.reading.temperature).toBeCloseTo(22, 0)
  })

  test('left alone it cools down towards the outside', () => {
    const room = roomAfter(10 * 60_000, 'off', 22)
    expect(room.reading.temperature).toBeLessThan(17)
    expect(room.reading.temperature).toBeGreaterThan(9)
  })
})

function homeWithLamp() {
  const space = stateOn()
  const lamp = new Lamp('light.hall', { on: false, brightness: 80 }, random)
  const bridge = new Bridge(space, [lamp], () => 0)
  bridge.report()
  return { space, bridge, lamp }
}

function roomAfter(ms: number, mode: string, target: number): Room {
  const room = new Room(18, random)
  room.setClimate(mode, target)
  for (let now = 0; now <= ms; now += READING_EVERY_MS / 10) room.advance(now)
  room.read()
  return room
}
