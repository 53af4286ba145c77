import type { LoggedUpdate } from './log.js'

/**
 * Checks the positions of one append against each other and against the room's last one.
 * @throws RangeError naming the position; it is the caller's mistake, and nothing was written
 */
export function checkRisingPositions(
  room: string,
  last: number | undefined,
  updates: readonly LoggedUpdate[],
): void {
  let before = last ?? -1
  for (const { position } of updates) {
    if (!Number.isSafeInteger(position) || position <= before) {
      const floor = before < 0 ? 'not a whole number from 0' : `not above ${before}`
      throw new RangeError(`append to room "${room}": position ${position} is ${floor}`)
    }
    before = position
  }
}

/** @throws RangeError where a snapshot cannot stand for this range */
export function checkReplacedRange(from: number, upTo: number): void {
  const whole = Number.isSafeInteger(from) && Number.isSafeInteger(upTo)
  if (!whole || from < 0 || upTo < from) {
    throw new RangeError(`replace: ${from} to ${upTo} is not a range of whole numbers from 0`)
  }
}
