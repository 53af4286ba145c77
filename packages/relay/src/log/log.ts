/**
 * The relay's memory of its rooms: per room a list of updates with rising positions. Every
 * implementation passes the suite in `test/log-acceptance.ts`.
 */
export interface Log {
  /**
   * All updates of a room, oldest first. A room nobody wrote to is empty.
   * @throws RelayError `room-corrupt`; other rooms are not affected
   */
  load(room: string): Promise<LoggedUpdate[]>
  /**
   * Adds updates at the end of a room and resolves when they are on disk. Calls of the same tick, for
   * whatever rooms, share one flush. Positions must be above all earlier ones of the room.
   * @throws RelayError `log-write` where nothing of this call was written
   */
  append(room: string, updates: readonly LoggedUpdate[]): Promise<void>
  /**
   * Puts one update in the place of all updates up to and including a position, atomically: after a
   * crash either the old or the new list is there. Later updates stay. The snapshot takes that position.
   */
  replace(room: string, upTo: number, snapshot: Uint8Array): Promise<void>
  /** Flushes and closes. Idempotent. */
  close(): Promise<void>
}

export interface LoggedUpdate {
  readonly position: number
  readonly update: Uint8Array
}
