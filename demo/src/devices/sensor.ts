import type { Json } from '@skein/agent'
import type { EntityId } from '../model/keys.js'
import type { Random, SimulatedDevice } from './device.js'

/** An entity that only measures; `measure` is asked at every step for the value to report. */
export class Sensor implements SimulatedDevice {
  readonly entity: EntityId
  readonly #measure: (now: number) => Json
  readonly state: Record<string, Json>

  constructor(entity: EntityId, measure: (now: number) => Json) {
    this.entity = entity
    this.#measure = measure
    this.state = { state: measure(0) }
  }

  restore(): void {}
  command(): void {}

  advance(now: number): void {
    this.state.state = this.#measure(now)
  }
}

/** Somebody crosses the hall every minute or so, and the sensor holds on for a few seconds. */
export function motion(random: Random): (now: number) => boolean {
  let until = 0
  let next: number | undefined
  return (now) => {
    if (now === 0) return false
    next ??= now + 20_000 + random() * 20_000
    if (now >= next) {
      until = now + 8_000
      next = now + 45_000 + random() * 60_000
    }
    return now < until
  }
}

/** Daylight by the hour, plus the hall's own lamp, in lux. */
export function illuminance(lampLevel: () => number): (now: number) => number {
  return (now) => {
    const hour = now === 0 ? 12 : new Date(now).getHours() + new Date(now).getMinutes() / 60
    const daylight = Math.max(0, Math.sin(((hour - 6.5) / 12) * Math.PI)) * 180
    return Math.round((4 + daylight + lampLevel() * 1.6) / 5) * 5
  }
}
