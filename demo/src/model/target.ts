import type { Json } from '@skein/agent'
import { COMMAND_MS, type Guarded } from './guarded.js'
import { type Cleared, readCleared } from './latches.js'

/** What a strong key says its device shall be. */
export interface Target {
  readonly state: string
  /** Who decided it. */
  readonly by: string
  /**
   * Unsafe states: until when the device may take the command, in milliseconds of the writer's
   * `Date.now()`. A device trusts it only to refuse, never to hold an unsafe state for longer.
   */
  readonly until: number | undefined
  /** The latches that whoever decided had seen and lifted. */
  readonly cleared: Cleared
}

export function targetValue(
  guarded: Guarded,
  state: string,
  by: string,
  cleared: Cleared,
  now: number,
): { [key: string]: Json } {
  const value = { state, by, cleared: { ...cleared } }
  return state === guarded.unsafe ? { ...value, until: now + COMMAND_MS } : value
}

/** The target in a strong value; undefined where it is none that the device knows. */
export function readTarget(guarded: Guarded, value: Json | undefined): Target | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const fields = value as { readonly [key: string]: Json }
  const state = guarded.targets.find((it) => it === fields.state)
  if (state === undefined) return undefined
  return {
    state,
    by: typeof fields.by === 'string' ? fields.by : 'somebody',
    until: typeof fields.until === 'number' ? fields.until : undefined,
    cleared: readCleared(fields.cleared),
  }
}
