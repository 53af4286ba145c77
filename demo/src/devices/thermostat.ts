import type { Json } from '@skein/agent'
import type { EntityId } from '../model/keys.js'
import type { SimulatedDevice } from './device.js'
import type { Room } from './room.js'

const LATENCY_MS = 250

/** Takes commands after a moment, and steers the room's heating or cooling by them. */
export class Thermostat implements SimulatedDevice {
  readonly entity: EntityId
  readonly state: Record<string, Json>
  readonly #room: Room
  readonly #due = new Map<string, { value: Json; at: number }>()

  constructor(entity: EntityId, room: Room, target: number) {
    this.entity = entity
    this.#room = room
    this.state = { target, mode: 'heat', current: room.reading.temperature }
  }

  restore(field: string, value: Json): void {
    if (field === 'current' && typeof value === 'number') this.#room.restore(value)
    if (field in this.state) this.state[field] = value
  }

  command(field: string, value: Json, now: number): void {
    if (field === 'target' || field === 'mode') this.#due.set(field, { value, at: now + LATENCY_MS })
  }

  advance(now: number): void {
    for (const [field, { value, at }] of this.#due) {
      if (at > now) continue
      this.state[field] = value
      this.#due.delete(field)
    }
    this.#room.setClimate(String(this.state.mode), Number(this.state.target))
    this.state.current = this.#room.reading.temperature
  }
}
