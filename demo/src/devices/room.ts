import type { Random } from './device.js'

/** The simulated day passes this much faster than the clock, so that warming up can be watched. */
const SPEED = 20
const OUTSIDE_CELSIUS = 9
/** A house that is left alone comes this much closer to the outside in an hour (as 1/e). */
const LOSS_PER_HOUR = 1 / 8
/** Full heating or cooling power, in degrees per hour. */
const POWER_PER_HOUR = 5
/** The share of full power that one degree of difference asks for. */
const GAIN_PER_DEGREE = 2.5
/** Sensors tell what they measure this often, all at once: one edit, not one each. */
export const READING_EVERY_MS = 15_000

/**
 * The air of one room: a first-order model. It loses warmth to the outside in proportion to the
 * difference, and the thermostat works against that in proportion to how far the target is.
 */
export class Room {
  /** What the room's sensors read, renewed every {@link READING_EVERY_MS}. */
  reading: { temperature: number; humidity: number }
  #temperature: number
  #humidity = 44
  #mode = 'heat'
  #target: number
  #advancedAt: number | undefined
  readonly #random: Random

  constructor(temperature: number, random: Random) {
    this.#temperature = temperature
    this.#target = temperature
    this.#random = random
    this.reading = { temperature, humidity: this.#humidity }
  }

  restore(temperature: number): void {
    this.#temperature = temperature
    this.reading = { ...this.reading, temperature }
  }

  setClimate(mode: string, target: number): void {
    this.#mode = mode
    this.#target = target
  }

  advance(now: number): void {
    const hours = ((now - (this.#advancedAt ?? now)) * SPEED) / 3_600_000
    this.#advancedAt = now
    const loss = (this.#temperature - OUTSIDE_CELSIUS) * LOSS_PER_HOUR
    this.#temperature += (this.#power() - loss) * hours
  }

  read(): void {
    const drift = this.#random() < 0.4 ? Math.round(this.#random() * 2 - 1) : 0
    this.#humidity = Math.min(58, Math.max(36, this.#humidity + drift))
    this.reading = { temperature: Math.round(this.#temperature * 10) / 10, humidity: this.#humidity }
  }

  #power(): number {
    const difference = this.#target - this.#temperature
    const share = Math.min(1, Math.max(-1, difference * GAIN_PER_DEGREE))
    // The loss is made up for, as real controllers learn to: the room settles at its target.
    const hold = (this.#temperature - OUTSIDE_CELSIUS) * LOSS_PER_HOUR
    if (this.#mode === 'heat') return Math.max(0, share * POWER_PER_HOUR + hold)
    if (this.#mode === 'cool') return Math.min(0, share * POWER_PER_HOUR)
    return 0
  }
}
