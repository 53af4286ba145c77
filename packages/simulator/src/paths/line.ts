import type { Events } from '../events.js'
import type { Random } from '../random.js'

/** One direction of a path. Times in milliseconds, sizes in bytes. */
export interface LineOptions {
  readonly delayMs: number
  /** Share of the delay by which it varies, up or down. */
  readonly jitter: number
  /** Bytes per millisecond; Infinity for a line that never fills. */
  readonly rate: number
  /** How often bursts of loss begin, and how long they last, 0 for none; a lost segment comes when it is sent again. */
  readonly burstEveryMs: number
  readonly burstMs: number
}

/** A lost segment is sent again after this long, then after twice as long, and so on. */
const RESEND_MS = 200

/**
 * Carries frames as a TCP connection does: in order, never losing one, but late. What is sent into a hole
 * stays there until the hole is over, or is gone with the connection.
 */
export class Line {
  private freeMs = 0
  private lastArrivalMs = 0
  private holeEndsMs = 0
  private burstFromMs = Number.NEGATIVE_INFINITY
  /** What has arrived in a hole. */
  private readonly held: { readonly connection: number; readonly arrived: () => void }[] = []
  /** Frames of a connection that has ended do not arrive. */
  private connection = 0
  bytes = 0

  constructor(
    private readonly events: Events,
    private readonly random: Random,
    public options: LineOptions,
  ) {
    this.nextBurst()
  }

  /** Bytes that wait to be put on the line. */
  get waiting(): number {
    const { rate } = this.options
    return rate === Number.POSITIVE_INFINITY ? 0 : Math.max(0, this.freeMs - this.events.nowMs) * rate
  }

  send(bytes: number, arrived: () => void): void {
    this.bytes += bytes
    this.carry(bytes, this.connection, arrived)
  }

  /** Nothing arrives for so long. */
  hole(durationMs: number): void {
    this.holeEndsMs = Math.max(this.holeEndsMs, this.events.nowMs + durationMs)
  }

  cut(): void {
    this.connection++
    this.freeMs = this.lastArrivalMs = this.events.nowMs
  }

  private carry(bytes: number, connection: number, arrived: () => void): void {
    const { events, options } = this
    const { delayMs, jitter, rate } = options
    this.freeMs = Math.max(this.freeMs, events.nowMs) + bytes / rate
    const variedMs = delayMs * (1 + jitter * this.random.between(-1, 1))
    // A frame behind one that is late is late, too.
    const arrivalMs = Math.max(this.lastArrivalMs, this.freeMs + variedMs + this.lostForMs())
    this.lastArrivalMs = arrivalMs
    events.at(arrivalMs, () => this.arrive(connection, arrived))
  }

  private arrive(connection: number, arrived: () => void): void {
    if (connection !== this.connection) return
    if (this.events.nowMs >= this.holeEndsMs && this.held.length === 0) {
      arrived()
      return
    }
    // In order, also where one hole follows the other.
    this.held.push({ connection, arrived })
    if (this.held.length === 1) this.events.at(this.holeEndsMs, () => this.release())
  }

  private release(): void {
    if (this.events.nowMs < this.holeEndsMs) {
      this.events.at(this.holeEndsMs, () => this.release())
      return
    }
    for (const { connection, arrived } of this.held.splice(0)) {
      if (connection === this.connection) arrived()
    }
  }

  /** How late a segment is that is sent now: it is sent again until the burst is over. */
  private lostForMs(): number {
    const { nowMs } = this.events
    const { burstMs } = this.options
    while (this.burstFromMs + burstMs < nowMs) this.nextBurst()
    if (nowMs < this.burstFromMs) return 0
    let lateMs = 0
    for (let resendMs = RESEND_MS; nowMs + lateMs <= this.burstFromMs + burstMs; resendMs *= 2)
      lateMs += resendMs
    return lateMs
  }

  private nextBurst(): void {
    const { burstEveryMs, burstMs } = this.options
    const endedMs = this.burstFromMs === Number.NEGATIVE_INFINITY ? 0 : this.burstFromMs + burstMs
    this.burstFromMs = endedMs + (burstMs === 0 ? Number.POSITIVE_INFINITY : this.random.around(burstEveryMs))
  }
}
