import type { Operation, Result } from './operations.js'

/** How an operation ended. Nothing is ever guessed: what may have been applied is `unknown`. */
export type Outcome =
  | Result
  /** Definitely not applied by this attempt: nothing that contains it was sent. */
  | { readonly kind: 'unavailable'; readonly reason: UnavailableReason }
  /** It may have been applied, or may still be. Ask again under the same id, or resolve it. */
  | { readonly kind: 'unknown' }

export type UnavailableReason =
  /** No quorum answered before the deadline. */
  | 'no-quorum'
  /** Too many operations wait. */
  | 'busy'

/** An operation on its way. `token` is the caller's name for it, given back with its outcome. */
export interface Submission {
  readonly token: number
  readonly key: string
  readonly operation: Operation
  /** On the clock of `nowMs`. */
  readonly deadlineMs: number
}
