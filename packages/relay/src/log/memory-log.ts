import { RelayError } from '../errors.js'
import type { Log, LoggedUpdate } from './log.js'
import { checkReplacedRange, checkRisingPositions } from './positions.js'

/** A log that forgets everything when it is closed: for tests, and for relays that only forward. */
export function memoryLog(): Log {
  const rooms = new Map<string, { updates: LoggedUpdate[]; epoch: string }>()
  let closed = false

  const roomOf = (name: string) => {
    if (closed) throw new RelayError('log-closed', 'the log was closed')
    const room = rooms.get(name) ?? { updates: [], epoch: '' }
    rooms.set(name, room)
    return room
  }

  return {
    async *load(name, from = 0) {
      yield* roomOf(name)
        .updates.filter(({ position }) => position >= from)
        .map(copyOf)
    },

    async rooms(after, limit) {
      if (closed) throw new RelayError('log-closed', 'the log was closed')
      const names = [...rooms].filter(([name, { updates }]) => name > after && updates.length > 0)
      return names
        .map(([name]) => name)
        .sort()
        .slice(0, limit)
    },

    async epochOf(name) {
      return roomOf(name).epoch
    },

    async append(name, updates, { epoch } = {}) {
      const room = roomOf(name)
      checkRisingPositions(name, room.updates.at(-1)?.position, updates)
      room.updates.push(...updates.map(copyOf))
      room.epoch = epoch ?? room.epoch
    },

    async replace(name, from, upTo, snapshot) {
      checkReplacedRange(from, upTo)
      const room = roomOf(name)
      const before = room.updates.filter(({ position }) => position < from)
      const later = room.updates.filter(({ position }) => position > upTo)
      room.updates = [...before, copyOf({ position: upTo, update: snapshot }), ...later]
    },

    hurry() {},

    async close() {
      closed = true
      rooms.clear()
    },
  }
}

/** Callers may reuse their buffers, and may write into what they loaded. */
function copyOf({ position, update }: LoggedUpdate): LoggedUpdate {
  return { position, update: update.slice() }
}
