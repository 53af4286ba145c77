import type { LineOptions, Random } from '@skein/simulator'

/** A lost segment is sent again after this long, then after twice as long, and so on (RFC 6298 has 1 s; Linux 200 ms). */
const RESEND_MS = 200
/** What the line carries at once. Larger ones would hold up what a real line mixes, and come in one piece. */
export const SEGMENT_BYTES = 1_460

/**
 * One direction of a line: when what is handed to it arrives, in time that the caller tells. It carries as a TCP
 * connection does: in order, losing nothing; a lost segment comes late, and so does all that is behind it.
 */
export class Direction {
  /** Nothing arrives before. */
  holeEndsMs = Number.NEGATIVE_INFINITY
  private freeMs = Number.NEGATIVE_INFINITY
  private lastArrivalMs = Number.NEGATIVE_INFINITY
  private burstFromMs: number

  constructor(
    private readonly random: Random,
    private readonly options: LineOptions,
    startMs: number,
  ) {
    this.burstFromMs = startMs + this.untilNextBurst()
  }

  /** A connection begins; what was on the line of the one before is gone. It is open after a round trip. */
  begin(nowMs: number, openAfterMs: number): void {
    this.freeMs = nowMs + openAfterMs
    this.lastArrivalMs = Number.NEGATIVE_INFINITY
  }

  /** When a segment arrives that is handed over now. A hole may hold it up even later. */
  arrivalMs(nowMs: number, bytes: number): number {
    const { delayMs, jitter, rate } = this.options
    this.freeMs = Math.max(this.freeMs, nowMs) + bytes / rate
    const variedMs = delayMs * (1 + jitter * this.random.between(-1, 1))
    const onTimeMs = this.freeMs + variedMs + this.lostForMs(nowMs)
    // Never before what was sent earlier.
    this.lastArrivalMs = Math.max(this.lastArrivalMs, onTimeMs)
    return this.lastArrivalMs
  }

  /** Nothing arrives for so long, and nobody is told. */
  hole(nowMs: number, durationMs: number): void {
    this.holeEndsMs = Math.max(this.holeEndsMs, nowMs + durationMs)
  }

  /** How late a segment is that is sent now: it is sent again until the burst is over. */
  private lostForMs(nowMs: number): number {
    const { burstMs } = this.options
    while (this.burstFromMs + burstMs < nowMs) this.burstFromMs += burstMs + this.untilNextBurst()
    if (nowMs < this.burstFromMs) return 0
    const endsMs = this.burstFromMs + burstMs
    let lateMs = 0
    for (let resendMs = RESEND_MS; nowMs + lateMs <= endsMs; resendMs *= 2) lateMs += resendMs
    return lateMs
  }

  private untilNextBurst(): number {
    const { burstEveryMs, burstMs } = this.options
    return burstMs === 0 ? Number.POSITIVE_INFINITY : this.random.around(burstEveryMs)
  }
}
