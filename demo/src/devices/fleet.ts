import { guardedBy } from '../model/guarded.js'
import { domainOf, type EntityId } from '../model/keys.js'
import { plannedEntities } from '../model/plan.js'
import { Blind } from './blind.js'
import type { Random, SimulatedDevice } from './device.js'
import { GuardedDevice } from './guarded-device.js'
import { Lamp } from './lamp.js'
import { READING_EVERY_MS, Room } from './room.js'
import { illuminance, motion, Sensor } from './sensor.js'
import { Thermostat } from './thermostat.js'

/** All simulated devices of the planned home, and the rooms they are in. */
export class Fleet {
  readonly devices: readonly SimulatedDevice[]
  readonly #rooms: ReadonlyMap<string, Room>
  readonly #random: Random
  #readAt = 0

  constructor(random: Random) {
    this.#random = random
    const planned = plannedEntities()
    this.#rooms = new Map(planned.map(({ area }) => [area, new Room(START_CELSIUS[area] ?? 19.5, random)]))
    this.devices = planned.map(({ entity, area }) => this.#create(entity, this.#rooms.get(area)!))
  }

  /** Those that go by strong keys and latches. */
  get guarded(): readonly GuardedDevice[] {
    return this.devices.filter((device) => device instanceof GuardedDevice)
  }

  advance(now: number): void {
    for (const room of this.#rooms.values()) room.advance(now)
    if (now - this.#readAt >= READING_EVERY_MS) {
      this.#readAt = now
      for (const room of this.#rooms.values()) room.read()
    }
    for (const device of this.devices) device.advance(now)
  }

  #create(entity: EntityId, room: Room): SimulatedDevice {
    switch (domainOf(entity)) {
      case 'lock':
      case 'alarm_control_panel':
      case 'valve': {
        const guarded = guardedBy(entity)
        if (!guarded) throw new Error(`the plan has no strong key for ${entity}`)
        return new GuardedDevice(guarded)
      }
      case 'light':
        return new Lamp(entity, LAMPS[entity] ?? { on: false, brightness: 60 }, this.#random)
      case 'climate':
        return new Thermostat(entity, room, START_CELSIUS[entity.slice('climate.'.length)] ?? 20)
      case 'cover':
        return new Blind(entity, BLINDS[entity] ?? 100)
      case 'binary_sensor':
        return new Sensor(entity, motion(this.#random))
      case 'sensor':
        return new Sensor(entity, this.#measure(entity, room))
    }
  }

  #measure(entity: EntityId, room: Room): (now: number) => number {
    if (entity.endsWith('_humidity')) return () => room.reading.humidity
    if (entity.endsWith('_illuminance')) return illuminance(() => this.#levelOf('light.hall'))
    return () => room.reading.temperature
  }

  #levelOf(lamp: EntityId): number {
    // While the fleet is being built there is no lamp yet.
    const state = this.devices?.find((device) => device.entity === lamp)?.state
    return state?.on === true ? Number(state.brightness) : 0
  }
}

const START_CELSIUS: Readonly<Record<string, number>> = { living: 21, kitchen: 20.5, hall: 18.5, bedroom: 18 }

/** How the lamps are when the home is switched on for the first time: an evening at home. */
const LAMPS: Readonly<Record<string, Record<string, boolean | number | string>>> = {
  'light.living_ceiling': { on: true, brightness: 55, color: '#ffd9a8' },
  'light.living_reading': { on: true, brightness: 80, color: '#ffb46b' },
  'light.kitchen': { on: true, brightness: 70, color: '#f4f3ff' },
  'light.kitchen_counter': { on: false, brightness: 60 },
  'light.hall': { on: false, brightness: 40 },
  'light.bedroom': { on: false, brightness: 50, color: '#ffd9a8' },
  'light.bedroom_bedside': { on: true, brightness: 30, color: '#ff7a6b' },
}

const BLINDS: Readonly<Record<string, number>> = {
  'cover.living': 65,
  'cover.kitchen': 100,
  'cover.bedroom': 0,
}
