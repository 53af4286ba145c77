/** What this package bounds. Sizes of keys and values are checked where they come in. */
export const PAXOS_LIMITS = {
  /** Clients whose operations a register remembers. */
  clientsMax: 256,
  /** Results remembered for one client that it has not said are settled. */
  resultsPerClientMax: 64,
  /** Operations that share a round. */
  operationsPerRoundMax: 256,
  /** Operations waiting for one key; more are refused as `unavailable`. */
  operationsPerKeyMax: 4_096,
  /** Keys with operations under way; more are refused as `unavailable`. */
  busyKeysMax: 65_536,
  /** Keys for which a promise is kept for the next write. The oldest is forgotten first. */
  cachedPromisesMax: 16_384,
  /** Keys in one answer to `list`. */
  keysPerPageMax: 512,
  /** Members of a configuration. */
  membersMax: 7,
} as const
