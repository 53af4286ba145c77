/** What the cluster of relays bounds. Sizes are of UTF-8, in bytes. */
export const CLUSTER_LIMITS = {
  /** A register's key, across all spaces. LMDB itself takes keys up to 1978 bytes. */
  keyBytesMax: 1024,
  /** A register's data. */
  dataBytesMax: 1024 * 1024,
  /** Names a client of a register. */
  clientBytesMax: 256,
  /** Names a member. */
  memberIdBytesMax: 64,
  /** Names a member's store. */
  storeIdBytesMax: 128,
  /** A frame between members; above the largest message and what goes before it. */
  frameBytesMax: 4 * 1024 * 1024,
  /** A frame is sent when it has grown over this; what comes then begins the next. */
  frameBytesTarget: 1024 * 1024,
  /** Bytes that wait for one member; beyond, messages to it are dropped, and asked for again later. */
  bufferedBytesMax: 16 * 1024 * 1024,
  /** Links that have not said who they are. */
  strangersMax: 32,
  /** An operation's time; a longer one is cut to this. */
  withinMsMax: 60_000,
  /** Operations that wait for the cluster to form; more are `unavailable`, `busy`. */
  waitingMax: 4_096,
  /** A link's hello, and any text in it. */
  helloBytesMax: 64 * 1024,
  addressBytesMax: 1024,
  /** Members whose addresses are remembered. */
  addressesMax: 64,
} as const
