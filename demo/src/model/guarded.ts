import { type EntityId, parseEntityId } from './keys.js'

/**
 * An entity with an unsafe side, such as an unlocked door. What it shall be is decided by a majority of
 * the relays under its strong key. Towards safety nobody has to ask: a latch (see latches.ts) holds the
 * device there whatever the strong key says.
 */
export interface Guarded {
  readonly entity: EntityId
  readonly strongKey: string
  /** States that the strong key can ask for. */
  readonly targets: readonly string[]
  /** The one that only a compare-and-set can ask for, and only for {@link COMMAND_MS}. */
  readonly unsafe: string
  /** What it is before anybody decided anything, and where the unsafe state ends by itself. */
  readonly safe: string
  /** What a latch makes of it. */
  readonly latched: string
  /** After this time the device goes back to `safe`; undefined where it stays. */
  readonly revertMs: number | undefined
}

/**
 * A command for the unsafe side is good for this long. One that reaches the device later was meant for a
 * moment that has passed: nobody stands at the door any more.
 */
export const COMMAND_MS = 30_000

export const FRONT_DOOR: Guarded = {
  entity: 'lock.front_door',
  strongKey: 'lock/front_door',
  targets: ['locked', 'unlocked'],
  unsafe: 'unlocked',
  safe: 'locked',
  latched: 'locked',
  revertMs: 30_000,
}

export const ALARM: Guarded = {
  entity: 'alarm_control_panel.home',
  strongKey: 'alarm/home',
  targets: ['disarmed', 'armed_home', 'armed_away'],
  unsafe: 'disarmed',
  safe: 'armed_home',
  latched: 'triggered',
  revertMs: undefined,
}

export const GAS: Guarded = {
  entity: 'valve.gas',
  strongKey: 'valve/gas',
  targets: ['open', 'closed'],
  unsafe: 'open',
  safe: 'closed',
  latched: 'closed',
  revertMs: undefined,
}

export const GUARDED: readonly Guarded[] = [FRONT_DOOR, ALARM, GAS]

export function guardedBy(entity: EntityId): Guarded | undefined {
  return GUARDED.find((it) => it.entity === entity)
}

export function guardedByStrongKey(key: string): Guarded | undefined {
  return GUARDED.find((it) => it.strongKey === key)
}

/** The guarded entity that a `latch/<entity>/<agent>` key belongs to. */
export function guardedByLatchKey(key: string): Guarded | undefined {
  const entity = parseEntityId(key.split('/')[1] ?? '')
  return entity && guardedBy(entity)
}
