/** Lines of one kind that are logged in one second; more are counted. */
export const LINES_PER_SECOND_MAX = 10

const WINDOW_MS = 1_000

/**
 * Decides which events are logged, so that a flood of bad clients does not become a flood of lines: of
 * each kind the first few of a second, and then how many there were besides. Holds no clock.
 */
export class EventThrottle {
  private readonly windows = new Map<string, { endsMs: number; logged: number; suppressed: number }>()

  constructor(private readonly max: number = LINES_PER_SECOND_MAX) {}

  /** Whether to log one of this kind; false counts it. Call `ended` first. */
  admit(kind: string, nowMs: number): boolean {
    const window = this.windows.get(kind) ?? { endsMs: nowMs + WINDOW_MS, logged: 0, suppressed: 0 }
    this.windows.set(kind, window)
    if (window.logged < this.max) {
      window.logged++
      return true
    }
    window.suppressed++
    return false
  }

  /** What was not logged in the seconds that are over; each is told once. */
  ended(nowMs: number): { kind: string; suppressed: number }[] {
    const sums: { kind: string; suppressed: number }[] = []
    for (const [kind, { endsMs, suppressed }] of this.windows) {
      if (endsMs > nowMs) continue
      this.windows.delete(kind)
      if (suppressed > 0) sums.push({ kind, suppressed })
    }
    return sums
  }
}
