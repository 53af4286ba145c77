/**
 * The relay's memory of its rooms: per room a list of updates with rising positions (whole numbers from 0,
 * gaps allowed), and the epoch. Every implementation passes the suite in `test/log/log-acceptance.ts`. All
 * methods reject with RelayError `log-closed` after `close`, and after a disk failure that only a restart
 * can mend.
 */
export interface Log {
  /**
   * The updates of a room from a position on, oldest first; others get their turn between them. A room
   * nobody wrote to is empty. Where `replace` runs meanwhile, the snapshot may come after some of what it
   * stands for. The bytes belong to the caller.
   * @throws RelayError `room-corrupt`; other rooms are not affected, and `replace` mends the room
   */
  load(room: string, from?: number): AsyncIterable<LoggedUpdate>
  /**
   * Names of rooms that were written to, at most `limit`, in an order of the log's own: those behind `after`, which
   * is the last one of the page before, or empty at the beginning.
   */
  rooms(after: string, limit: number): Promise<readonly string[]>
  /** The epoch that was stored last; empty if none was. @throws RelayError `room-corrupt` */
  epochOf(room: string): Promise<string>
  /**
   * Adds updates at the end of a room and resolves when they are on disk. Calls that come close together,
   * for whatever rooms, share one flush. Positions must be above all earlier ones of the room. The bytes
   * are copied before the call returns.
   * @throws RelayError `log-write` where nothing of this call was written; later calls may succeed
   * @throws RangeError where positions do not rise; nothing was written
   */
  append(room: string, updates: readonly LoggedUpdate[], options?: AppendOptions): Promise<void>
  /**
   * Puts one update in the place of all updates at positions `from` to `upTo`, both included, atomically:
   * after a crash either the old or the new list is there. Others stay. The snapshot takes position `upTo`.
   * @throws RelayError `log-write` where the old list is still there
   * @throws RangeError where it is no range of positions
   */
  replace(room: string, from: number, upTo: number, snapshot: Uint8Array): Promise<void>
  /** Somebody waits for what was appended: flushes it now rather than with what comes next. */
  hurry(): void
  /** Waits until all earlier calls are on disk, then closes. Idempotent. */
  close(): Promise<void>
}

export interface AppendOptions {
  /** Stored with the updates, or not at all; replaces an earlier one. */
  readonly epoch?: string | undefined
  /** Somebody waits for this: flush it now. Otherwise a busy log may take a moment, to flush more at once. */
  readonly urgent?: boolean
}

export interface LoggedUpdate {
  readonly position: number
  readonly update: Uint8Array
}

/** Everything of a room at once. */
export async function collect(updates: AsyncIterable<LoggedUpdate>): Promise<LoggedUpdate[]> {
  const all: LoggedUpdate[] = []
  for await (const update of updates) all.push(update)
  return all
}
