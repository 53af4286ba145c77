/** Pause between a relay's pong and the next ping; so old may a round trip be. */
const PING_AFTER_MS = 10_000
/** The second ping comes sooner: the first is sent while the application starts, and measures that. */
const SECOND_PING_AFTER_MS = 1_000
/** Silence for this long after a ping means that the connection is dead. */
const PONG_WITHIN_MS = 5_000
/** So does a pong that is missing for this long, whatever else arrives: what is sent here gets lost. */
const PONG_WITHIN_MS_MAX = 30_000
/** A timer later than this proves nothing: messages may be waiting behind it. One more probe decides. */
const TIMER_LATE_MS = 1_000
/** Silence after which a plain server is asked for a step 2, the one thing it always answers. */
const ASK_AFTER_MS = 20_000
/** How long a plain server may take for it. Together they stay within y-websocket's own 30 s. */
const ANSWER_WITHIN_MS = 10_000
/** How long the first exchange may go without any message: a large step 2 arrives as one frame. */
const FIRST_SYNC_WITHIN_MS = 120_000

/** What is probed, and how. */
export interface Probed {
  readonly kind: 'relay' | 'server'
  /** It is greeted, and answers probes. */
  readonly ready: boolean
  /** A large message is on its way in parts, which a ping waits behind. */
  readonly sendsLarge: boolean
}

/** Whether a connection still works: when it is probed, and when it is given up. */
export class Liveness {
  hasHeard = false
  private probeSentMs: number | undefined
  private roundTrip: number | undefined
  private probedAgain = false
  private nextPingMs = 0
  /** Whether bytes wait in the socket, and since when none do. */
  private isFilled = false
  private drainedMs = Number.NEGATIVE_INFINITY

  /** @param lastHeardMs when anything was heard last; at first when the connection was made */
  constructor(private lastHeardMs: number) {}

  get heardMs(): number {
    return this.lastHeardMs
  }

  /** The last measured round trip in milliseconds. */
  get roundTripMs(): number | undefined {
    return this.roundTrip
  }

  get isProbing(): boolean {
    return this.probeSentMs !== undefined
  }

  heard(nowMs: number): void {
    this.hasHeard = true
    this.lastHeardMs = nowMs
  }

  /** From here on it is pinged. */
  begin(nowMs: number): void {
    this.lastHeardMs = this.nextPingMs = nowMs
  }

  /** Whether bytes wait in the socket, whenever that is known anew. */
  filled(nowMs: number, isFilled: boolean): void {
    if (isFilled || this.isFilled) this.drainedMs = nowMs
    this.isFilled = isFilled
  }

  /** When `check` wants to be called. */
  deadlineMs({ kind, ready, sendsLarge }: Probed): number {
    if (!ready) return this.lastHeardMs + FIRST_SYNC_WITHIN_MS
    if (this.probeSentMs === undefined) {
      return kind === 'relay' ? this.nextPingMs : this.lastHeardMs + ASK_AFTER_MS
    }
    if (kind === 'server') return this.probeSentMs + ANSWER_WITHIN_MS
    // A ping waits behind the parts of a large message, and behind what the socket holds.
    if (sendsLarge || this.isFilled) return this.probeSentMs + PONG_WITHIN_MS_MAX
    const lastSign = Math.max(this.probeSentMs, this.lastHeardMs, this.drainedMs)
    return Math.min(lastSign + PONG_WITHIN_MS, this.probeSentMs + PONG_WITHIN_MS_MAX)
  }

  /** What is to be done now; a reason where the connection is given up. */
  check(nowMs: number, probed: Probed): 'nothing' | 'probe' | { readonly dead: string } {
    const lateMs = nowMs - this.deadlineMs(probed)
    if (lateMs < 0) return 'nothing'
    if (!probed.ready) return { dead: 'no complete answer from the server' }
    if (this.probeSentMs === undefined) return 'probe'
    if (lateMs < TIMER_LATE_MS || this.probedAgain) return { dead: 'the server does not answer' }
    this.probedAgain = true
    this.probeSentMs = undefined
    return 'probe'
  }

  probed(nowMs: number): void {
    this.probeSentMs = nowMs
  }

  /** A pong came, to a ping that was sent then. Returns the round trip in milliseconds. */
  ponged(nowMs: number, pingSentMs: number): number {
    this.nextPingMs = nowMs + (this.roundTrip === undefined ? SECOND_PING_AFTER_MS : PING_AFTER_MS)
    this.roundTrip = Math.max(0, nowMs - pingSentMs)
    this.probeEnded()
    return this.roundTrip
  }

  /** A plain server answered the question that was its probe. */
  answered(nowMs: number): void {
    if (this.probeSentMs === undefined) return
    this.roundTrip = nowMs - this.probeSentMs
    this.probeEnded()
  }

  /** Something came that shows that it works. */
  probeEnded(): void {
    this.probeSentMs = undefined
    this.probedAgain = false
  }
}
