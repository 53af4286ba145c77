import type { Json } from '@skein/agent'
import type { EntityId } from '../model/keys.js'
import type { SimulatedDevice } from './device.js'

/** Percent of the way per second; a real roller blind is slower, and duller to watch. */
const SPEED_PER_SECOND = 14
/** A moving blind tells its position this often. */
const REPORT_MS = 250

export class Blind implements SimulatedDevice {
  readonly entity: EntityId
  readonly state: Record<string, Json>
  #position: number
  #goal: number
  #advancedAt: number | undefined
  #reportedAt = 0

  constructor(entity: EntityId, position: number) {
    this.entity = entity
    this.state = { position }
    this.#position = position
    this.#goal = position
  }

  restore(field: string, value: Json): void {
    if (field !== 'position' || typeof value !== 'number') return
    this.state.position = value
    this.#position = value
    this.#goal = value
  }

  command(field: string, value: Json, _now: number): void {
    if (field === 'position' && typeof value === 'number') this.#goal = value
  }

  advance(now: number): void {
    const elapsedMs = now - (this.#advancedAt ?? now)
    this.#advancedAt = now
    if (this.#position === this.#goal) return
    const way = (SPEED_PER_SECOND * elapsedMs) / 1000
    const distance = this.#goal - this.#position
    this.#position = Math.abs(distance) <= way ? this.#goal : this.#position + Math.sign(distance) * way
    if (this.#position !== this.#goal && now - this.#reportedAt < REPORT_MS) return
    this.#reportedAt = now
    this.state.position = Math.round(this.#position)
  }
}
