/** Both clocks of a device, read together. */
export interface ClockReading {
  /** Such as `performance.now()`. Terms are counted on it; it may stand still while the device sleeps. */
  readonly monotonicMs: number
  /** Such as `Date.now()`. Only tells whether the other stood still, or was changed itself. */
  readonly wallMs: number
}

export const LEASE_CLOCK = {
  /** The two clocks may part by so much at once: they are not read at the same instant. */
  jumpMs: 250,
  /** And by this part of the time that passed: time services slew a clock by 0.0005 at most. */
  slew: 0.001,
  /** How much faster the clock of one device may run than that of another, as a part of the time. */
  drift: 0.01,
  /** What a challenger waits beyond a term. Covers a sleep of the holder that `jumpMs` lets pass. */
  marginMs: 500,
} as const

/** Whether the device slept, or one of its clocks was changed, between two readings. */
export function hasJumped(before: ClockReading, now: ClockReading): boolean {
  const elapsedMs = now.monotonicMs - before.monotonicMs
  if (elapsedMs < 0) return true
  const apartMs = Math.abs(now.wallMs - before.wallMs - elapsedMs)
  return apartMs > LEASE_CLOCK.jumpMs + elapsedMs * LEASE_CLOCK.slew
}
