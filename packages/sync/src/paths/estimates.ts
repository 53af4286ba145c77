import { PATH_LIMITS } from './limits.js'

/** Weights of a new sample in the smoothed round trip, in its variation (RFC 6298), and in shares and rates. */
const ROUND_TRIP_WEIGHT = 1 / 8
const VARIATION_WEIGHT = 1 / 4
const SHARE_WEIGHT = 1 / 16
const RATE_WEIGHT = 1 / 8
/** Samples that the quantile is taken of, and how many there have to be. */
const SAMPLES_MAX = 64
const SAMPLES_MIN = 8
/** So many round trips count as the lowest of them: the first is often that of an application that starts. */
const SETTLED_AFTER = 3
/** The lowest round trip is that of so long, in two halves. */
const LOWEST_OF_MS = 10_000

/** What is known of a path from what was sent over it. */
export class PathEstimates {
  private smoothed: number | undefined
  private variation = 0
  private share = 1
  private bytesPerMs: number | undefined
  private readonly samples: number[] = []
  private nextSample = 0
  private lowestBefore = Number.POSITIVE_INFINITY
  private lowestNow = Number.POSITIVE_INFINITY
  private halfEndsMs = Number.NEGATIVE_INFINITY

  /** Smoothed, in milliseconds; undefined before anything was measured. */
  get roundTripMs(): number | undefined {
    return this.smoothed
  }

  /** Whether it was measured often enough to be compared. */
  get isSettled(): boolean {
    return this.samples.length >= SETTLED_AFTER
  }

  /** Mean deviation of the round trip, in milliseconds. */
  get variationMs(): number {
    return this.variation
  }

  /** The lowest round trip of the last seconds. */
  get lowestMs(): number | undefined {
    const lowest = Math.min(this.lowestBefore, this.lowestNow)
    return lowest === Number.POSITIVE_INFINITY ? undefined : lowest
  }

  /** Share of what was sent that was acknowledged in time, newest weighted most; from 0 to 1. */
  get reliability(): number {
    return this.share
  }

  /** Acknowledged bytes per millisecond while the path was kept busy; undefined before it ever was. */
  get goodput(): number | undefined {
    return this.bytesPerMs
  }

  /** How long an acknowledgement may take before it is missed. */
  get deadlineAfterMs(): number {
    if (this.smoothed === undefined) return PATH_LIMITS.deadlineMsUnknown
    return Math.max(PATH_LIMITS.deadlineMsMin, this.smoothed + 4 * this.variation)
  }

  /**
   * What takes longer than this takes unusually long: than 95 of 100 acknowledgements, or than one and a half times
   * the median, where a line stands still so often that it is usual, but never less than a few
   * milliseconds longer than the median. Before enough is known the deadline.
   */
  get usualMs(): number {
    if (this.samples.length < SAMPLES_MIN) return this.deadlineAfterMs
    const sorted = [...this.samples].sort((a, b) => a - b)
    const quantile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1]!
    const median = quantile(0.5)
    return Math.max(Math.min(quantile(0.95), 1.5 * median), median + PATH_LIMITS.hedgeLateMs)
  }

  /** Something was acknowledged after so long, be it late: else a path that has become slow stays suspect. */
  measured(nowMs: number, roundTripMs: number): void {
    if (this.smoothed === undefined || !this.isSettled) {
      this.smoothed = Math.min(this.smoothed ?? roundTripMs, roundTripMs)
      this.variation = this.smoothed / 2
    } else {
      const deviation = Math.abs(this.smoothed - roundTripMs)
      this.variation += VARIATION_WEIGHT * (deviation - this.variation)
      this.smoothed += ROUND_TRIP_WEIGHT * (roundTripMs - this.smoothed)
    }
    this.samples[this.nextSample] = roundTripMs
    this.nextSample = (this.nextSample + 1) % SAMPLES_MAX
    if (nowMs >= this.halfEndsMs) {
      this.lowestBefore = this.lowestNow
      this.lowestNow = Number.POSITIVE_INFINITY
      this.halfEndsMs = nowMs + LOWEST_OF_MS / 2
    }
    this.lowestNow = Math.min(this.lowestNow, roundTripMs)
  }

  /** Something was acknowledged in time, or was not. */
  tried(inTime: boolean): void {
    this.share += SHARE_WEIGHT * ((inTime ? 1 : 0) - this.share)
  }

  /** So many bytes were acknowledged in this time, in which there was always more to send. */
  delivered(bytes: number, inMs: number): void {
    if (inMs <= 0) return
    const rate = bytes / inMs
    this.bytesPerMs =
      this.bytesPerMs === undefined ? rate : this.bytesPerMs + RATE_WEIGHT * (rate - this.bytesPerMs)
  }
}

/**
 * How good a path is for a message of this size: what it carries per time, over how long that takes, weighted
 * by its reliability. While little is sent the lowest delay wins, under load the rate counts.
 * @param load bytes per millisecond that the application sends
 * @param cost 1 for a path like others; 2 is taken half as readily
 */
export function scoreOf(
  estimates: PathEstimates,
  { backlog, size, load, cost }: { backlog: number; size: number; load: number; cost: number },
): number {
  const { roundTripMs = UNKNOWN_MS, variationMs, goodput, reliability } = estimates
  const wanted = Math.max(1.5 * load, LOAD_MIN)
  const queueMs = goodput === undefined ? 0 : (backlog + size) / goodput
  const delayMs = PATH_LIMITS.unnoticedMs + roundTripMs / 2 + 2 * variationMs + queueMs
  return ((Math.min(goodput ?? wanted, wanted) / delayMs) * reliability ** 2) / cost
}

/** A path of which nothing is known is worth trying, but not leaving a good one for. */
const UNKNOWN_MS = 400
/** Bytes per millisecond: less than this is no load. */
const LOAD_MIN = 0.1
