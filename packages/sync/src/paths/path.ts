import { PathEstimates, scoreOf } from './estimates.js'
import { PATH_LIMITS } from './limits.js'
import { NEXT_STATE, type PathEvent, type PathState } from './path-state.js'

/** Numbered by the caller. */
export type PathId = number

/** Something that was sent over a path and not acknowledged over it yet. */
interface Outstanding {
  readonly bytes: number
  readonly sentMs: number
  readonly deadlineMs: number
  /** What the path had delivered when it was sent, and whether that was limited by the line. */
  readonly deliveredBefore: number
  readonly wasBusy: boolean
}

/** Missed ones are remembered, so that a late answer still teaches how slow the path is. */
const LATE_MAX = 256

/** One path as the scheduler sees it. */
export class Path {
  state: PathState = 'closed'
  estimates = new PathEstimates()
  /** Bytes that wait in its socket, as the driver last told. */
  buffered = 0
  /** Something takes unusually long, and nothing was answered since that was noticed. */
  isStalled = false
  private readonly outstanding = new Map<number, Outstanding>()
  private readonly late = new Map<number, Outstanding>()
  private unacknowledged = 0
  private delivered = 0
  private lastDeadlineMs = 0
  /** When something was last missed that made it suspect. */
  private suspectMs = 0
  private probe: { readonly sentMs: number; readonly deadlineMs: number } | undefined
  private nextProbeMs = Number.POSITIVE_INFINITY
  private silentProbes = 0
  /** Since it was opened. */
  private probes = 0

  constructor(
    readonly id: PathId,
    readonly cost: number,
  ) {}

  get isOpen(): boolean {
    return this.state !== 'closed'
  }

  /** Bytes on their way or about to be. */
  get backlog(): number {
    return this.buffered + this.unacknowledged
  }

  /** When `missed` or `checkAnswered` may have changed, or a probe is due. */
  get deadlineMs(): number {
    if (!this.isOpen) return Number.POSITIVE_INFINITY
    let deadlineMs = Math.min(this.probe?.deadlineMs ?? this.nextProbeMs, this.firstDeadlineMs)
    if (this.state === 'suspect') deadlineMs = Math.min(deadlineMs, this.unansweredMs)
    return deadlineMs
  }

  get probeIsDueMs(): number {
    return this.probe === undefined && this.isOpen ? this.nextProbeMs : Number.POSITIVE_INFINITY
  }

  score(size: number, load: number): number {
    return scoreOf(this.estimates, { backlog: this.backlog, size, load, cost: this.cost })
  }

  opened(nowMs: number): void {
    this.reset()
    this.on('opened')
    this.nextProbeMs = nowMs
  }

  closed(): void {
    this.reset()
    this.on('closed')
  }

  sent(nowMs: number, id: number, bytes: number): void {
    // Never before that of one that is on its way: then the first is always the next.
    if (this.outstanding.size === 0) this.lastDeadlineMs = 0
    this.lastDeadlineMs = Math.max(this.lastDeadlineMs, nowMs + this.estimates.deadlineAfterMs)
    this.outstanding.set(id, {
      bytes,
      sentMs: nowMs,
      deadlineMs: this.lastDeadlineMs,
      deliveredBefore: this.delivered,
      wasBusy: this.buffered >= PATH_LIMITS.saturatedBytes,
    })
    this.unacknowledged += bytes
  }

  acknowledged(nowMs: number, id: number): void {
    const inTime = this.outstanding.get(id)
    const sent = inTime ?? this.late.get(id)
    if (sent === undefined || !this.isOpen) return
    if (inTime !== undefined) {
      this.estimates.tried(true)
      this.unacknowledged -= sent.bytes
    }
    this.outstanding.delete(id)
    this.late.delete(id)
    this.delivered += sent.bytes
    this.estimates.measured(nowMs, nowMs - sent.sentMs)
    if (sent.wasBusy) this.estimates.delivered(this.delivered - sent.deliveredBefore, nowMs - sent.sentMs)
    this.on('answered')
  }

  /** Its probe was answered. */
  answered(nowMs: number, roundTripMs: number): void {
    if (!this.isOpen) return
    this.estimates.measured(nowMs, roundTripMs)
    if (this.probe !== undefined) this.estimates.tried(true)
    this.probe = undefined
    this.on('answered')
  }

  /** Whether anything was missed since it was last asked; then the path is suspect. */
  missed(nowMs: number): boolean {
    let anyMissed = false
    for (const [id, sent] of this.outstanding) {
      if (sent.deadlineMs > nowMs) break
      this.outstanding.delete(id)
      this.unacknowledged -= sent.bytes
      this.remember(id, sent)
      anyMissed = true
      this.estimates.tried(false)
    }
    if (this.probe !== undefined && this.probe.deadlineMs <= nowMs) {
      this.probe = undefined
      anyMissed = true
      this.estimates.tried(false)
    }
    if (!anyMissed) return false
    if (this.state === 'good') {
      this.suspectMs = nowMs
      this.nextProbeMs = nowMs
    }
    this.on('missed')
    return true
  }

  /** What it should have brought came over another path. */
  overdue(nowMs: number): void {
    this.estimates.tried(false)
    this.suspectMs = nowMs
    this.nextProbeMs = nowMs
    this.on('missed')
  }

  /** Silent from now on, if nothing came for as long again after something was missed. */
  checkAnswered(nowMs: number): void {
    if (this.state === 'suspect' && nowMs >= this.unansweredMs) this.on('unanswered')
  }

  /** @param random from 0 to below 1: pauses of a silent path are jittered */
  probed(nowMs: number, isBusy: boolean, random: number): void {
    this.probe = { sentMs: nowMs, deadlineMs: nowMs + this.estimates.deadlineAfterMs }
    if (this.state === 'silent') {
      const { probeSilentMs, probeSilentMsMax } = PATH_LIMITS
      const pauseMs = Math.min(probeSilentMsMax, probeSilentMs * 2 ** this.silentProbes)
      this.silentProbes++
      this.nextProbeMs = nowMs + probeSilentMs + random * pauseMs
    } else {
      const usualMs = isBusy ? PATH_LIMITS.probeEveryMs : PATH_LIMITS.probeIdleMs
      // The first ones in short order: what is not known yet cannot be chosen.
      this.nextProbeMs = nowMs + Math.min(usualMs, PATH_LIMITS.probeNewMs * 2 ** this.probes)
      this.probes++
    }
  }

  /** Something is sent again after a while without: its next probe need not wait for the idle pause. */
  wake(nowMs: number): void {
    if (this.isOpen && this.state !== 'silent') {
      this.nextProbeMs = Math.min(this.nextProbeMs, nowMs + PATH_LIMITS.probeEveryMs)
    }
  }

  private get unansweredMs(): number {
    return this.suspectMs + this.estimates.deadlineAfterMs
  }

  private get firstDeadlineMs(): number {
    for (const { deadlineMs } of this.outstanding.values()) return deadlineMs
    return Number.POSITIVE_INFINITY
  }

  private on(event: PathEvent): void {
    const next = NEXT_STATE[this.state][event]
    if (next !== this.state) this.silentProbes = 0
    if (event !== 'missed' && event !== 'unanswered') this.isStalled = false
    this.state = next
  }

  private remember(id: number, sent: Outstanding): void {
    this.late.set(id, sent)
    if (this.late.size <= LATE_MAX) return
    for (const oldest of this.late.keys()) {
      this.late.delete(oldest)
      return
    }
  }

  private reset(): void {
    this.outstanding.clear()
    this.late.clear()
    this.unacknowledged = 0
    this.buffered = 0
    this.probe = undefined
    this.probes = 0
    this.nextProbeMs = Number.POSITIVE_INFINITY
    this.lastDeadlineMs = 0
  }
}
