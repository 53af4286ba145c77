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

/** `reported` are the entity's reported fields by name; `latches` its entries under `latch/`. */
export function guardedState(
  guarded: Guarded,
  decided: Decided | undefined,
  latches: Entries,
  reported: { readonly [field: string]: Json | undefined },
): GuardedState {
  const target = readTarget(guarded, decided?.value)
  const state = target?.state ?? guarded.safe
  const inForce = latchesInForce(latches, target?.cleared ?? {})
  const isState = typeof reported.state === 'string' ? reported.state : undefined
  // Latches alone cannot be judged before it is known which are lifted; the device knows.
  const wanted =
    decided === undefined ? (isState ?? guarded.safe) : inForce.length > 0 ? guarded.latched : state
  return {
    decided: decided && { ...decided, state, target },
    latches: decided === undefined ? [] : inForce,
    wanted,
    reported: isState,
    moving: isState !== undefined && isState !== wanted,
    refused: typeof reported.refused === 'string' ? reported.refused : '',
    deviceFence: typeof reported.fence === 'number' ? reported.fence : 0,
  }
}
