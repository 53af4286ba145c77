import type { Json } from '@skein/agent'
import type { EntityId } from '../model/keys.js'
import type { Random, SimulatedDevice } from './device.js'

/** Radio and lamp together; a Zigbee bulb answers in about this time. */
const LATENCY_MS = { min: 70, max: 140 } as const

export class Lamp implements SimulatedDevice {
  readonly entity: EntityId
  readonly state: Record<string, Json>
  readonly #random: Random
  readonly #due = new Map<string, { value: Json; at: number }>()

  constructor(entity: EntityId, initial: Record<string, Json>, random: Random) {
    this.entity = entity
    this.state = { ...initial }
    this.#random = random
  }

  restore(field: string, value: Json): void {
    if (field in this.state) this.state[field] = value
  }

  command(field: string, value: Json, now: number): void {
    if (!(field in this.state)) return
    // A newer value rides on the command that is under way, so a slider's drag doesn't starve the lamp.
    const at =
      this.#due.get(field)?.at ?? now + LATENCY_MS.min + this.#random() * (LATENCY_MS.max - LATENCY_MS.min)
    this.#due.set(field, { value, at })
  }

  advance(now: number): void {
    for (const [field, { value, at }] of this.#due) {
      if (at > now) continue
      this.state[field] = value
      this.#due.delete(field)
    }
  }
}
