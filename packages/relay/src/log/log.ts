/**
 * The relay's memory of its rooms: per room a list of updates with rising positions (whole numbers from 0,
 * gaps allowed). Every implementation passes the suite in `test/log/log-acceptance.ts`. All methods reject
 * with RelayError `log-closed` after `close`, and after a disk failure that only a restart can mend.
 */
export interface Log {
  /**
   * All updates of a room, oldest first. A room nobody wrote to is empty. The bytes belong to the caller.
   * @throws RelayError `room-corrupt`; other rooms are not affected, and `replace` mends the room
   */
  load(room: string): Promise<LoggedUpdate[]>
  /**
   * Adds updates at the end of a room and resolves when they are on disk. Calls of the same tick, for
   * whatever rooms, share one flush. Positions must be above all earlier ones of the room. The bytes
   * are copied before the call returns.
   * @throws RelayError `log-write` where nothing of this call was written; later calls may succeed
   * @throws RangeError where positions do not rise; nothing was written
   */
  append(room: string, updates: readonly LoggedUpdate[]): Promise<void>
  /**
   * Puts one update in the place of all updates up to and including a position, atomically: after a
   * crash either the old or the new list is there. Later updates stay. The snapshot takes that position.
   * @throws RelayError `log-write` where the old list is still there
   */
  replace(room: string, upTo: number, snapshot: Uint8Array): Promise<void>
  /** Waits until all earlier calls are on disk, then closes. Idempotent. */
  close(): Promise<void>
}

export interface LoggedUpdate {
  readonly position: number
  readonly update: Uint8Array
}
