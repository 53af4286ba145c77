/** The relay, for programs that run one themselves. The command line is `cli.ts`. */
export type { ClusterStatus } from './cluster/status.js'
export { RelayError, type RelayErrorCode } from './errors.js'
export { openLmdbLog } from './log/lmdb-log.js'
export type { Log, LoggedUpdate } from './log/log.js'
export { memoryLog } from './log/memory-log.js'
export type { ClusterOptions, RelayEvent, RelayLimits, RelayOptions } from './options.js'
export { createRelay, type Relay } from './relay.js'
export type { ExecuteOptions, StrongRegion } from './strong/region.js'
