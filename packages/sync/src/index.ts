/** Replication between an agent and its relays, as pure state machines. Rules: SPEC.md. */

export { answerFrames, mergeNeighbours } from './answer.js'
export { BACKOFF_BASE_MS, BACKOFF_MS_MAX, backoffMs } from './backoff.js'
export { ByteBudget } from './chunks.js'
export { Coverage } from './coverage.js'
export { documentDigest, documentReplica } from './document.js'
export { type ClockRange, EditRanges } from './edit-ranges.js'
export { mergeUpdates } from './merge.js'
export type { EditSpan } from './numbered-updates.js'
export { Outbox } from './outbox.js'
export { DIAL_LIMITS, type DialedPath, Dialer, type DialPlan } from './paths/dialer.js'
export { PathEstimates, scoreOf } from './paths/estimates.js'
export { PATH_LIMITS } from './paths/limits.js'
export {
  MULTIPATH_LIMITS,
  type MultipathEffects,
  type MultipathOptions,
  MultipathSession,
  type PathChoice,
  type PathDescription,
} from './paths/multipath-session.js'
export type { PathId } from './paths/path.js'
export { NEXT_STATE, type PathEvent, type PathState } from './paths/path-state.js'
export {
  type PathEffects,
  type PathReport,
  PathScheduler,
  type PathSwitch,
  type Send,
  type SwitchReason,
  type Traffic,
  type Transmission,
} from './paths/scheduler.js'
export { RangeSet } from './range-set.js'
export { KEEP_ALIVE_MS, Room, type RoomOptions } from './room.js'
export type { AnswerRequest, MemberId, PersistedUpdate, RoomEffects } from './room-effects.js'
export { RoomIndex } from './room-index.js'
export { ASK_AGAIN_MS } from './room-member.js'
export type { RelayCluster } from './room-relay.js'
export {
  ASK_MISSING_AFTER_MS,
  type Replica,
  Session,
  type SessionEffects,
  type SessionProblem,
  type StrongMessage,
} from './session.js'
export { checkKey, copyJson, type Json, STATE_MAP, StateError } from './state-value.js'
export { TAB_GONE_MS, TAB_HELLO_MS, type TabEffects, type TabMessage, Tabs, type TabUpdate } from './tabs.js'
