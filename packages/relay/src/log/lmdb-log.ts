import type { DataDirectory } from '../data/data-directory.js'
import { RelayError } from '../errors.js'
import { type Environment, openEnvironment, type Table } from './lmdb-environment.js'
import type { Log, LoggedUpdate } from './log.js'
import { checkReplacedRange, checkRisingPositions } from './positions.js'
import {
  behindRoom,
  decodeRecord,
  encodeKey,
  encodeRecord,
  epochKey,
  positionOfKey,
  roomOfKey,
} from './record.js'

/**
 * Opens the log in a data directory. All rooms share one LMDB environment.
 * @param commitEveryMs pause between commits that nobody waits for, when more than a few follow each other
 * @throws RelayError `data-corrupt`, `data-foreign`, `data-version`, `data-not-writable`; nothing was changed
 */
export async function openLmdbLog(directory: DataDirectory, commitEveryMs = 0): Promise<Log> {
  const environment = await openEnvironment(directory, commitEveryMs)
  return { ...lmdbLog(environment), close: () => environment.close() }
}

/** The log in an environment that is opened and closed by someone else. */
export function lmdbLog({ updates: table, commits }: Environment): Omit<Log, 'close'> {
  const tails = new Tails(table)

  return {
    async *load(room, from = 0) {
      let next = from
      for (;;) {
        commits.checkOpen()
        const { updates, isLast } = readSome(table, room, next)
        yield* updates
        if (isLast) return
        next = updates.at(-1)!.position + 1
        // Others get their turn: a large room takes many of these.
        await new Promise((resolve) => setImmediate(resolve))
      }
    },

    async rooms(after, limit) {
      commits.checkOpen()
      const names: string[] = []
      let start = after === '' ? Buffer.alloc(1) : behindRoom(after)
      while (names.length < limit) {
        const [key] = [...table.getKeys({ start, limit: 1 })]
        if (key === undefined) break
        const room = roomOfKey(key)
        names.push(room)
        start = behindRoom(room)
      }
      return names
    },

    async epochOf(room) {
      commits.checkOpen()
      const key = epochKey(room)
      const record = table.get(key)
      if (record === undefined) return ''
      const epoch = decodeRecord(key, record)
      if (epoch === undefined) throw corrupt(room, 'the epoch')
      return Buffer.from(epoch).toString()
    },

    async append(room, updates, { epoch, urgent = false } = {}) {
      commits.checkOpen()
      checkRisingPositions(room, tails.last(room), updates)
      const last = updates.at(-1)
      if (last === undefined) return
      const records = updates.map(({ position, update }) => {
        const key = encodeKey(room, position)
        return { key, record: encodeRecord(key, update) }
      })
      if (epoch !== undefined) {
        const key = epochKey(room)
        records.push({ key, record: encodeRecord(key, Buffer.from(epoch)) })
      }
      const bytes = records.reduce((sum, { record }) => sum + record.length, 0)
      const put = () => {
        for (const { key, record } of records) table.put(key, record)
      }
      await tails.during(room, last.position, () =>
        commits.add({ scope: room, reads: false, bytes, urgent, prepare: () => put }),
      )
    },

    hurry() {
      commits.hurry()
    },

    async replace(room, from, upTo, snapshot) {
      commits.checkOpen()
      checkReplacedRange(from, upTo)
      const key = encodeKey(room, upTo)
      const record = encodeRecord(key, snapshot)
      const prepare = () => {
        const replaced = [...table.getKeys(rangeOf(room, from, upTo))]
        return () => {
          for (const old of replaced) table.remove(old)
          table.put(key, record)
        }
      }
      await tails.during(room, upTo, () =>
        commits.add({ scope: room, reads: true, bytes: record.length, urgent: false, prepare }),
      )
    },
  }
}

/** Bytes read before others get their turn. */
const READ_BYTES = 1024 * 1024

/** The next updates of a room. @throws RelayError `room-corrupt` */
function readSome(
  table: Table,
  room: string,
  from: number,
): { readonly updates: LoggedUpdate[]; readonly isLast: boolean } {
  const updates: LoggedUpdate[] = []
  let bytes = 0
  for (const { key, value } of table.getRange(rangeOf(room, from))) {
    const position = positionOfKey(key)
    const update = decodeRecord(key, value)
    if (update === undefined) throw corrupt(room, `the update at position ${position}`)
    updates.push({ position, update })
    bytes += update.length
    if (bytes >= READ_BYTES) return { updates, isLast: false }
  }
  return { updates, isLast: true }
}

/** The last position of each room, writes under way included. Rooms at rest are looked up, not kept. */
class Tails {
  readonly #table: Table
  readonly #busy = new Map<string, { last: number; writes: number }>()

  constructor(table: Table) {
    this.#table = table
  }

  last(room: string): number | undefined {
    return this.#busy.get(room)?.last ?? this.#stored(room)
  }

  /** Counts a write up to `position` as part of the room until it is settled. */
  async during(room: string, position: number, write: () => Promise<void>): Promise<void> {
    const tail = this.#busy.get(room) ?? { last: this.#stored(room) ?? position, writes: 0 }
    tail.last = Math.max(tail.last, position)
    tail.writes++
    this.#busy.set(room, tail)
    try {
      await write()
    } finally {
      tail.writes--
      if (tail.writes === 0) this.#busy.delete(room)
    }
  }

  #stored(room: string): number | undefined {
    // Backwards from the end: a reversed range starts at its greater key.
    const range = { start: encodeKey(room, Number.MAX_SAFE_INTEGER), end: epochKey(room), reverse: true }
    for (const key of this.#table.getKeys({ ...range, limit: 1 })) {
      return positionOfKey(key)
    }
    return undefined
  }
}

/** The keys of a room's positions. LMDB leaves out the end of a range, either way round. */
function rangeOf(room: string, from: number, upTo = Number.MAX_SAFE_INTEGER) {
  return { start: encodeKey(room, from), end: encodeKey(room, upTo + 1) }
}

function corrupt(room: string, what: string): RelayError {
  return new RelayError(
    'room-corrupt',
    `room "${room}": ${what} is not what was written. Other rooms are not ` +
      'affected. Restore the data from a backup, or clear the room: agents bring back what they have',
  )
}
