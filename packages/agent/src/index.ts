/** What both entries, for browsers and for Node, have in common; the types of this package. */
export { SkeinError, type SkeinErrorCode } from './errors.js'
export type { Store, StoredReplica, StoreKind } from './store/store.js'
export {
  Conflict,
  LeaseLost,
  NotStrong,
  StrongMismatch,
  Unavailable,
  type UnavailableReason,
  Unknown,
} from './strong/errors.js'
export type {
  Lease,
  LeaseOptions,
  OperationId,
  StaleEntry,
  StrongCondition,
  StrongEntry,
  StrongOptions,
  StrongRegion,
  Written,
} from './strong/types.js'
export type {
  Change,
  ClockRange,
  JoinOptions,
  Json,
  PathStatus,
  PathSwitch,
  Presence,
  PresentAgent,
  Receipt,
  Space,
  Status,
  Tier,
} from './types.js'
