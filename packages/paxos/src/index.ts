/** Linearizable registers, decided by a Paxos round per key. Rules: SPEC.md. */
export {
  Acceptor,
  type AcceptorEffects,
  type AcceptorRecord,
  type AcceptorStore,
  type AcceptorWrite,
  type AddressedReply,
} from './acceptor.js'
export { type Ballot, compareBallots, formatBallot, maxBallot, ZERO_BALLOT } from './ballot.js'
export { type Configuration, isQuorum, type Member, membersOf } from './configuration.js'
export type { Envelope, ProposerEffects } from './effects.js'
export { compareKeys, MEMBERS_KEY } from './keys.js'
export {
  type ChallengerState,
  type HolderState,
  type LeaseAttempt,
  LeaseChallenger,
  LeaseHolder,
  type LeaseTerm,
  type LostReason,
} from './lease.js'
export { type ClockReading, hasJumped, LEASE_CLOCK } from './lease-clock.js'
export {
  decodeLease,
  encodeLease,
  LEASE_LIMITS,
  type LeaseData,
  type LeaseReading,
} from './lease-data.js'
export { PAXOS_LIMITS } from './limits.js'
export type { ChangeOutcome } from './membership-change.js'
export type * from './messages.js'
export {
  applyOperation,
  type Condition,
  type Operation,
  type OperationId,
  type ReadOperation,
  type ResolveOperation,
  type Result,
  type WriteOperation,
} from './operations.js'
export type { Outcome, Submission, UnavailableReason } from './outcome.js'
export { Participant, type ParticipantEffects, type ParticipantOptions } from './participant.js'
export { Proposer, type ProposerOptions } from './proposer.js'
export {
  type ClientRecord,
  EMPTY_REGISTER,
  type Entry,
  entryOf,
  type Register,
  type StoredResult,
} from './register.js'
