/**
 * The number of one attempt. Every attempt has its own, higher than all that its proposer has used or
 * heard of, so no two values are ever proposed under one ballot.
 */
export interface Ballot {
  /** A whole number below 2^53; 0 only in `ZERO_BALLOT`. */
  readonly counter: number
  /** The member that proposes. */
  readonly proposer: string
  /** How often the proposer's store has been started. Counters begin anew at each start, incarnations never. */
  readonly incarnation: number
}

/** Before everything: nothing was promised or accepted. */
export const ZERO_BALLOT: Ballot = Object.freeze({ counter: 0, proposer: '', incarnation: 0 })

/** Negative where `a` comes before `b`, 0 where they are the same. Numbers are compared as numbers. */
export function compareBallots(a: Ballot, b: Ballot): number {
  if (a.counter !== b.counter) return a.counter - b.counter
  if (a.proposer !== b.proposer) return a.proposer < b.proposer ? -1 : 1
  return a.incarnation - b.incarnation
}

export function maxBallot(a: Ballot, b: Ballot): Ballot {
  return compareBallots(a, b) >= 0 ? a : b
}

export function formatBallot({ counter, proposer, incarnation }: Ballot): string {
  return counter === 0 ? '0' : `${counter}.${proposer}/${incarnation}`
}
