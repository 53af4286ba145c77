/** Replication between an agent and its relays, as pure state machines. Rules: SPEC.md. */
export { BACKOFF_BASE_MS, BACKOFF_MS_MAX, backoffMs } from './backoff.js'
export { Coverage } from './coverage.js'
export { mergeUpdates } from './merge.js'
export { Outbox } from './outbox.js'
export { RangeSet } from './range-set.js'
export {
  KEEP_ALIVE_MS,
  type MemberId,
  type PersistedUpdate,
  Room,
  type RoomEffects,
  type RoomOptions,
} from './room.js'
export { type Replica, Session, type SessionEffects, type SessionProblem } from './session.js'
export { checkKey, copyJson, type Json, STATE_MAP, StateError } from './state-value.js'
export { TAB_GONE_MS, TAB_HELLO_MS, type TabEffects, type TabMessage, Tabs } from './tabs.js'
