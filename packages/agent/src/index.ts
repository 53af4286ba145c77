/** What both entries, for browsers and for Node, have in common; the types of this package. */
export { SkeinError, type SkeinErrorCode } from './errors.js'
export type { Store, StoredReplica, StoreKind } from './store/store.js'
export type {
  Change,
  ClockRange,
  JoinOptions,
  Json,
  PathStatus,
  Presence,
  PresentAgent,
  Receipt,
  Space,
  Status,
  Tier,
} from './types.js'
