import type { Json } from '@skein/agent'
import type { EntityId } from '../model/keys.js'

/**
 * A simulated entity. It knows nothing of the space and owns no clock: the bridge tells it what is
 * wanted and how late it is, and hears what became of it.
 */
export interface SimulatedDevice {
  readonly entity: EntityId
  /** Every reported field and its value now. */
  readonly state: Readonly<Record<string, Json>>
  /** Takes up the state that was reported before a restart. */
  restore(field: string, value: Json): void
  /** Somebody wants a value, always absolute. It takes effect in some later `advance`. */
  command(field: string, value: Json, now: number): void
  /** Lets time pass until `now`, in milliseconds. */
  advance(now: number): void
}

/** A source of numbers in [0, 1), like `Math.random`. */
export type Random = () => number
