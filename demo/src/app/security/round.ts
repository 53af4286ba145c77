import type { Guarded } from '../../model/guarded.js'
import type { Outcome } from './outcome.js'

/** Rounds that are kept on show. */
export const ROUNDS_MAX = 6

/** One thing that this agent asked the relays to decide, and everything that it knows of it. */
export interface Round {
  readonly id: number
  readonly guarded: Guarded
  /** The state that was asked for. */
  readonly wanted: string
  /** What it was called on the button, e.g. `Unlock`. */
  readonly verb: string
  /** The version that it was asked on the ground of. */
  readonly fromVersion: number
  /** When it was asked, in milliseconds of `Date.now()`, and on the monotonic clock. */
  readonly at: number
  readonly startedAt: number
  /** The relay that this agent was connected to then. */
  readonly relay: string | undefined
  /** From asking to knowing the outcome, measured here. */
  readonly endedMs?: number
  readonly outcome?: Outcome
  /** Without a quorum the latch did it. */
  readonly latched?: boolean
  /** What the device made of it, and when this agent saw the report. */
  readonly device?: { readonly afterMs: number; readonly state: string; readonly refused: string }
  /** Of an unknown outcome: it is being asked for, and what it turned out to be. */
  readonly findingOut?: boolean
  readonly settled?: 'applied' | 'not-applied'
}

/** Its outcome is not known, and nobody has found out yet. */
export function isUnsettled(round: Round): boolean {
  return round.outcome?.kind === 'unknown' && round.settled === undefined
}
