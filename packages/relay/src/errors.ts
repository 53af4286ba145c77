/**
 * - `port-in-use`: something else listens on the port
 * - `data-foreign`: the data directory holds something that is not a relay's data; nothing was touched
 * - `data-in-use`: another relay runs on the data directory
 * - `data-not-writable`: the data directory cannot be made or written
 * - `data-corrupt`: the store as a whole cannot be opened; nothing was changed
 * - `data-version`: written by a newer version of the relay
 * - `room-corrupt`: one room's stored bytes are not what was written; other rooms work
 * - `log-write`: the disk refused a write; nothing of it is stored
 * - `log-closed`: the log was closed, or stopped because its disk failed in the middle of a commit
 * - `cluster-mismatch`: the data belong to another member, or to a cluster of other members
 * - `replace-failed`: a change of a cluster's members did not succeed; the message tells what was changed
 * - `bad-option`: an option that cannot be used
 */
export type RelayErrorCode =
  | 'port-in-use'
  | 'data-foreign'
  | 'data-in-use'
  | 'data-not-writable'
  | 'data-corrupt'
  | 'data-version'
  | 'room-corrupt'
  | 'log-write'
  | 'log-closed'
  | 'cluster-mismatch'
  | 'replace-failed'
  | 'bad-option'

/** The one error type of this package. The message says what happened and what to do. */
export class RelayError extends Error {
  override readonly name = 'RelayError'
  readonly code: RelayErrorCode

  constructor(code: RelayErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
