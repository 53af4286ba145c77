import {
  type Conflict,
  type OperationId,
  SkeinError,
  type StrongEntry,
  type Unavailable,
  type UnavailableReason,
  type Unknown,
} from '@skein/agent'

/** How a strong write ended; a timeout is never told as a failure. */
export type Outcome =
  | { readonly kind: 'done'; readonly version: number; readonly fence: number }
  /** Somebody was first; it was not applied. */
  | { readonly kind: 'conflict'; readonly current: StrongEntry }
  /** Certainly not applied; mostly because no majority was reached. */
  | { readonly kind: 'unavailable'; readonly reason: UnavailableReason }
  /** The relays said no to the request itself; certainly not applied. */
  | { readonly kind: 'refused'; readonly message: string }
  /** It may have been applied, or may still be; `operation` is what to ask with. */
  | { readonly kind: 'unknown'; readonly operation: OperationId }

export function outcomeOf(error: unknown): Outcome {
  if (error instanceof SkeinError) {
    if (error.code === 'conflict') return { kind: 'conflict', current: (error as Conflict).current }
    if (error.code === 'unavailable') {
      return { kind: 'unavailable', reason: (error as Unavailable).reason }
    }
    if (error.code === 'unknown-outcome') return { kind: 'unknown', operation: (error as Unknown).operation }
  }
  return { kind: 'refused', message: error instanceof Error ? error.message : String(error) }
}

/** Whether the outcome is what a relay has answered, as against what this agent makes of its silence. */
export function isAnswer(outcome: Outcome | undefined): boolean {
  if (!outcome || outcome.kind === 'unknown') return false
  return outcome.kind !== 'unavailable' || outcome.reason === 'no-quorum' || outcome.reason === 'busy'
}
