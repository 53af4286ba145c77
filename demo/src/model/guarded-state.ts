import type { Json } from '@skein/agent'
import type { Guarded } from './guarded.js'
import { type Latch, latchesInForce } from './latches.js'
import { readTarget, type Target } from './target.js'

/** A strong key's value as this agent last heard of it. */
export interface Decided {
  readonly value: Json | undefined
  readonly version: number
  readonly fence: number
}

/** What is known of a guarded entity, each part by itself: decided, held, and done are three things. */
export interface GuardedState {
  /** What the relays decided; `state` is the safe one where nobody decided yet. Undefined: not heard yet. */
  readonly decided: (Decided & { readonly state: string; readonly target: Target | undefined }) | undefined
  /** The latches in force, the latest first. */
  readonly latches: readonly Latch[]
  /** What the device is to be by these two; where nothing is known of them, what it reports. */
  readonly wanted: string
  readonly reported: string | undefined
  /** The device is on its way. */
  readonly moving: boolean
  /** What the device last refused, in its words; empty where it took the last command. */
  readonly refused: string
  /** The fence of the last command that the device saw. */
  readonly deviceFence: number
}

type Entries = readonly (readonly [key: string, value: Json])[]

/**
 * `reported` are the entity's reported fields by name, `latches` its entries under `latch/`, `now` is in
 * milliseconds of `Date.now()`.
 */
export function guardedState(
  guarded: Guarded,
  decided: Decided | undefined,
  latches: Entries,
  reported: { readonly [field: string]: Json | undefined },
  now: number,
): GuardedState {
  const target = readTarget(guarded, decided?.value)
  const done: Done = {
    state: typeof reported.state === 'string' ? reported.state : undefined,
    refused: typeof reported.refused === 'string' ? reported.refused : '',
    fence: typeof reported.fence === 'number' ? reported.fence : 0,
  }
  const inForce = decided ? latchesInForce(latches, target?.cleared ?? {}) : []
  const wanted = wantedOf(guarded, decided, target, inForce, done, now)
  return {
    decided: decided && { ...decided, state: target?.state ?? guarded.safe, target },
    latches: inForce,
    wanted,
    reported: done.state,
    moving: done.state !== undefined && done.state !== wanted,
    refused: done.refused,
    deviceFence: done.fence,
  }
}

interface Done {
  readonly state: string | undefined
  readonly refused: string
  readonly fence: number
}

function wantedOf(
  guarded: Guarded,
  decided: Decided | undefined,
  target: Target | undefined,
  latches: readonly Latch[],
  done: Done,
  now: number,
): string {
  // Latches alone cannot be judged before it is known which are lifted; the device knows.
  if (!decided) return done.state ?? guarded.safe
  if (latches.length > 0) return guarded.latched
  if (target?.state !== guarded.unsafe) return target?.state ?? guarded.safe
  // The device has seen this unsafe command, and has refused it or is through with it.
  const ended = done.refused !== '' || (guarded.revertMs !== undefined && now > (target.until ?? 0))
  return done.fence >= decided.fence && ended ? (done.state ?? guarded.safe) : target.state
}
