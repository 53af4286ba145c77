import { RelayError } from '../errors.js'
import type { Log, LoggedUpdate } from './log.js'
import { checkReplacedPosition, checkRisingPositions } from './positions.js'

/** A log that forgets everything when it is closed: for tests, and for relays that only forward. */
export function memoryLog(): Log {
  const rooms = new Map<string, LoggedUpdate[]>()
  let closed = false

  const updatesOf = (room: string) => {
    if (closed) throw new RelayError('log-closed', 'the log was closed')
    return rooms.get(room) ?? []
  }

  return {
    async load(room) {
      return updatesOf(room).map(copyOf)
    },

    async append(room, updates) {
      const before = updatesOf(room)
      checkRisingPositions(room, before.at(-1)?.position, updates)
      if (updates.length > 0) rooms.set(room, [...before, ...updates.map(copyOf)])
    },

    async replace(room, upTo, snapshot) {
      checkReplacedPosition(upTo)
      const later = updatesOf(room).filter(({ position }) => position > upTo)
      rooms.set(room, [copyOf({ position: upTo, update: snapshot }), ...later])
    },

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
