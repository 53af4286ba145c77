import type { DataDirectory } from '../data/data-directory.js'
import { RelayError } from '../errors.js'
import { type Environment, openEnvironment, type Table } from './lmdb-environment.js'
import type { Log } from './log.js'
import { checkReplacedPosition, checkRisingPositions } from './positions.js'
import { decodeRecord, encodeKey, encodeRecord, keyBefore, positionOfKey } from './record.js'

/**
 * Opens the log in a data directory. All rooms share one LMDB environment.
 * @throws RelayError `data-corrupt`, `data-foreign`, `data-version`, `data-not-writable`; nothing was changed
 */
export async function openLmdbLog(directory: DataDirectory): Promise<Log> {
  const environment = await openEnvironment(directory)
  return { ...lmdbLog(environment), close: () => environment.close() }
}

/** The log in an environment that is opened and closed by someone else. */
export function lmdbLog({ updates: table, commits }: Environment): Omit<Log, 'close'> {
  const tails = new Tails(table)

  return {
    async load(room) {
      commits.checkOpen()
      const loaded = []
      for (const { key, value } of table.getRange(rangeOf(room))) {
        const position = positionOfKey(key)
        const update = decodeRecord(key, value)
        if (update === undefined) throw corrupt(room, position)
        loaded.push({ position, update })
      }
      return loaded
    },

    async append(room, updates) {
      commits.checkOpen()
      checkRisingPositions(room, tails.last(room), updates)
      const last = updates.at(-1)
      if (last === undefined) return
      const records = updates.map(({ position, update }) => {
        const key = encodeKey(room, position)
        return { key, record: encodeRecord(key, update) }
      })
      const bytes = records.reduce((sum, { record }) => sum + record.length, 0)
      const put = () => {
        for (const { key, record } of records) table.put(key, record)
      }
      await tails.during(room, last.position, () =>
        commits.add({ scope: room, reads: false, bytes, prepare: () => put }),
      )
    },

    async replace(room, upTo, snapshot) {
      commits.checkOpen()
      checkReplacedPosition(upTo)
      const key = encodeKey(room, upTo)
      const record = encodeRecord(key, snapshot)
      const prepare = () => {
        const replaced = [...table.getKeys(rangeOf(room, upTo))]
        return () => {
          for (const old of replaced) table.remove(old)
          table.put(key, record)
        }
      }
      await tails.during(room, upTo, () =>
        commits.add({ scope: room, reads: true, bytes: record.length, prepare }),
      )
    },
  }
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
    const { start, end } = rangeOf(room)
    // Backwards from the end: a reversed range starts at its greater key.
    for (const key of this.#table.getKeys({ start: end, end: start, reverse: true, limit: 1 })) {
      return positionOfKey(key)
    }
    return undefined
  }
}

/** All keys of a room up to and including a position. LMDB leaves out the end of a range, either way round. */
function rangeOf(room: string, upTo = Number.MAX_SAFE_INTEGER) {
  return { start: keyBefore(room), end: encodeKey(room, upTo + 1) }
}

function corrupt(room: string, position: number): RelayError {
  return new RelayError(
    'room-corrupt',
    `room "${room}": the update at position ${position} is not what was written. Other rooms are not ` +
      'affected. Restore the data from a backup, or clear the room: agents bring back what they have',
  )
}
