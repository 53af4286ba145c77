/**
 * How long to wait before attempt `failures + 1`: uniformly random between nothing and a bound that
 * doubles with each failure ("full jitter", Brooker, AWS Architecture Blog 2015), so that clients cut off
 * together don't come back together.
 * @param failures attempts that failed in a row, at least 1
 * @param random in [0, 1), from the caller's source of randomness
 * @returns milliseconds
 */
export function backoffMs(failures: number, random: number): number {
  const bound = Math.min(BACKOFF_MS_MAX, BACKOFF_BASE_MS * 2 ** (failures - 1))
  return Math.floor(random * bound)
}

/** Bound of the first wait. A relay that restarts is back within about this time. */
export const BACKOFF_BASE_MS = 500

/** Bound of every later wait. Longer spares a relay little and makes people think that nothing happens. */
export const BACKOFF_MS_MAX = 10_000
