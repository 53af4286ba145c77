import { mergeUpdates } from '../merge.js'
import type { EditSpan } from '../numbered-updates.js'
import { PathEstimates } from './estimates.js'

export const PACE_LIMITS = {
  /** Edits within this time after a message go together in the next one; it grows and shrinks between these. */
  windowMsMin: 4,
  windowMsMax: 100,
  /** Messages a second that are sent for long, and how many at once after a pause. */
  messagesPerSecond: 100,
  messagesAtOnce: 100,
  /** Edits held back for the next message; more than either go at once. */
  heldBytesMax: 64 * 1024,
  heldMax: 1_000,
} as const

/** An answer that takes this many times the lowest round trip, and this much more, came late. */
const LATE_FACTOR = 1.5
const LATE_MS = 10
/** Share of the usual round trip that the pause may take: who waits for the rest hardly notices. */
const ROUND_TRIP_SHARE = 1 / 4
const GROW = 1.25
const SHRINK = 0.9

/** Edits that go in one message. */
export interface EditBatch {
  readonly update: Uint8Array
  readonly span: EditSpan
}

/**
 * Decides when edits are sent, and which go together: the first at once, those that follow it closely in one. While
 * answers come late the pause grows, so that a line which is busy gets fewer and larger messages.
 */
export class EditPace {
  private readonly held: Uint8Array[] = []
  private heldBytes = 0
  private span: EditSpan | undefined
  private windowMs: number = PACE_LIMITS.windowMsMin
  private sentMs = Number.NEGATIVE_INFINITY
  private tokens: number = PACE_LIMITS.messagesAtOnce
  private tokensMs = 0
  private estimates = new PathEstimates()

  /** When `take` has something; infinite while nothing is held back. */
  get dueMs(): number {
    if (this.span === undefined) return Number.POSITIVE_INFINITY
    if (this.heldBytes > PACE_LIMITS.heldBytesMax || this.held.length >= PACE_LIMITS.heldMax) return 0
    const tokenMs = this.tokensMs + Math.max(0, 1 - this.tokens) * (1_000 / PACE_LIMITS.messagesPerSecond)
    return Math.max(this.sentMs + this.windowMs, tokenMs)
  }

  /** The pause between two messages, in milliseconds. */
  get pauseMs(): number {
    return this.windowMs
  }

  /** The last edit that is held back; 0 if none is. */
  get heldUpTo(): number {
    return this.span?.upTo ?? 0
  }

  /** The edit with the next number. */
  add(update: Uint8Array, edit: number): void {
    this.held.push(update)
    this.heldBytes += update.length
    this.span = { from: this.span?.from ?? edit, upTo: edit }
  }

  /** What is to be sent now, all in one, if it is time or `isUrgent`. */
  take(nowMs: number, isUrgent = false): EditBatch | undefined {
    const { span } = this
    if (span === undefined || (!isUrgent && nowMs < this.dueMs)) return undefined
    const update = this.held.length === 1 ? this.held[0]! : mergeUpdates(this.held)
    this.drop()
    const { messagesPerSecond, messagesAtOnce } = PACE_LIMITS
    const refilled = this.tokens + ((nowMs - this.tokensMs) * messagesPerSecond) / 1_000
    this.tokens = Math.max(0, Math.min(messagesAtOnce, refilled) - 1)
    this.tokensMs = nowMs
    this.sentMs = nowMs
    return { update, span }
  }

  /** What is held back was sent in another way, or cannot be sent now. */
  drop(): void {
    this.held.length = 0
    this.heldBytes = 0
    this.span = undefined
  }

  /** A message was answered after so long. */
  answered(nowMs: number, afterMs: number): void {
    this.estimates.measured(nowMs, afterMs)
    const lowestMs = this.estimates.lowestMs ?? afterMs
    const isLate = afterMs > LATE_FACTOR * lowestMs + LATE_MS
    this.change(isLate, ROUND_TRIP_SHARE * this.estimates.roundTripMs!)
  }

  /** Whether the line takes bytes more slowly than they come; for paths whose answers tell nothing of that. */
  filled(isFilled: boolean): void {
    this.change(isFilled, PACE_LIMITS.windowMsMax)
  }

  /** Another path is used now: what was usual on the last one says nothing of it. */
  moved(): void {
    this.estimates = new PathEstimates()
  }

  private change(isBusy: boolean, mostMs: number): void {
    const { windowMsMin, windowMsMax } = PACE_LIMITS
    const changedMs = this.windowMs * (isBusy ? GROW : SHRINK)
    this.windowMs = Math.max(windowMsMin, Math.min(windowMsMax, mostMs, changedMs))
  }
}
