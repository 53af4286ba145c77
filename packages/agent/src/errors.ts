/**
 * What went wrong, for programs. Every message says what happened, whether anything was applied, and
 * what can be done.
 *
 * - `bad-space-name`, `bad-relay-url`, `bad-key`, `bad-value`: an argument that cannot be used; nothing was applied
 * - `bad-frame`: something else than bytes was given to a failover WebSocket; nothing was sent
 * - `left`: the space was left before the call
 * - `refused`: a relay closed with a final code, or denied access; the agent stopped trying that relay
 * - `unreachable`: of a path: its last attempt failed, or its connection ended; it is tried again
 * - `update-too-large`: an edit over the relay's limit; it is applied and stored here, and stays here
 * - `update-rejected`: a relay refused an edit; it is applied and stored here, and stays here
 * - `wrong-epoch`: the relay's space was seeded anew since this replica was made; nothing was merged
 * - `unfaithful`: a relay lacks what it has confirmed; it is not used any more, and nothing is lost
 * - `diverged`: a relay holds something else though everything was exchanged with it; it is tried again
 * - `in-transaction`: a receipt was asked for in the middle of a transaction; nothing was applied
 * - `store-unavailable`: the store cannot be opened (private mode, not writable); edits live in memory
 * - `store-full`: the quota or disk is used up; edits since then live in memory until there is room
 * - `store-corrupt`: stored bytes are not what was written; nothing was overwritten
 * - `store-foreign`: the place holds something that is not this space's store; nothing was touched
 * - `bad-prefix`: declared prefixes that cannot be used; nothing was applied
 * - `strong-key`: a write of the CRDT document to a strong key; nothing was applied
 * - `conflict`, `unavailable`, `unknown-outcome`, `lease-lost`, `not-strong`, `strong-mismatch`: of the strong
 *   region, each with a class of its own
 */
export type SkeinErrorCode =
  | 'bad-space-name'
  | 'bad-relay-url'
  | 'bad-key'
  | 'bad-value'
  | 'bad-frame'
  | 'left'
  | 'refused'
  | 'unreachable'
  | 'update-too-large'
  | 'update-rejected'
  | 'wrong-epoch'
  | 'unfaithful'
  | 'diverged'
  | 'in-transaction'
  | 'store-unavailable'
  | 'store-full'
  | 'store-corrupt'
  | 'store-foreign'
  | 'bad-prefix'
  | 'strong-key'
  | 'conflict'
  | 'unavailable'
  | 'unknown-outcome'
  | 'lease-lost'
  | 'not-strong'
  | 'strong-mismatch'

/** What every error of this package is; `code` tells the kinds apart. */
export class SkeinError extends Error {
  override readonly name: string = 'SkeinError'
  readonly code: SkeinErrorCode

  constructor(code: SkeinErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
