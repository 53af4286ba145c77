import { decodeStateVector, type NewsMessage } from '@skein/protocol'
import type { Replica } from '../session.js'

/** Beyond the round trip that the active path may take for what a standby already knows. */
const BRING_WITHIN_MS = 200
/** Pause between two questions for what the active path does not bring. */
const ASK_AGAIN_MS = 1_000
/** Clients of which it is remembered what was told; the next digest tells of the others. */
const EXPECTED_MAX = 1_000
/** So many questions may stay without what was asked for. Who does not have what it tells of is not asked again. */
const ASKED_MAX = 3
/** A digest counts once nothing has changed for so long. */
const AT_REST_MS = 1_000
/**
 * A relay tells its digest when it has changed, with a sweep every 10 s: if it has not for so long, it still holds what it
 * told last. Until then a document that has changed is not compared with that.
 */
const TOLD_WITHIN_MS = 25_000
/** Pause before a relay that still differs after an exchange is exchanged with again; it doubles. */
const EXCHANGE_AGAIN_MS = 10_000
const EXCHANGE_AGAIN_MS_MAX = 160_000

/** What a path that stands by has told: it checks the active path, and is checked by it. */
export class StandbyNews {
  /** The relay still held something else after an exchange. */
  hasDiverged = false
  private readonly expected = new Map<number, number>()
  private expectedMs = Number.POSITIVE_INFINITY
  private asked = 0
  private digest: string | undefined
  private ownDigest: string | undefined
  private compareMs = Number.POSITIVE_INFINITY
  /** It held the same when it told its digest; what has changed since has to come to it, too. */
  private heldTheSame = false
  /** The active path was asked what it holds since the last exchange. */
  private isVerified = false
  private exchanges = 0
  private exchangeAfterMs = Number.NEGATIVE_INFINITY

  /** When `check` or `compare` wants to be asked. */
  get dueMs(): number {
    return Math.min(this.expectedMs, this.compareMs)
  }

  heard(nowMs: number, news: NewsMessage, replica: Replica, roundTripMs: number): void {
    if (this.asked <= ASKED_MAX) this.expect(nowMs + BRING_WITHIN_MS + 2 * roundTripMs, news, replica)
    if (news.digest === undefined) return
    this.digest = news.digest
    this.ownDigest = undefined
    this.heldTheSame = false
    this.compareMs = nowMs + AT_REST_MS
  }

  /**
   * Whether the active path has still not brought what this one told of: then it is to be asked for here (`ask`). What
   * came since it was asked for should have come over the active one (`late`).
   */
  check(nowMs: number, replica: Replica): { readonly ask: boolean; readonly late: boolean } {
    if (nowMs < this.expectedMs) return NOTHING
    const own = decodeStateVector(replica.stateVector())
    let late = false
    for (const [client, clock] of this.expected) {
      if ((own.get(client) ?? 0) < clock) continue
      this.expected.delete(client)
      late ||= this.asked > 0
    }
    if (late) this.asked = 0
    this.expectedMs = Number.POSITIVE_INFINITY
    if (this.expected.size === 0) return { ask: false, late }
    this.asked++
    const ask = this.asked <= ASKED_MAX
    if (ask) this.expectedMs = nowMs + ASK_AGAIN_MS
    else this.expected.clear()
    return { ask, late }
  }

  private expect(dueMs: number, news: NewsMessage, replica: Replica): void {
    const own = decodeStateVector(replica.stateVector())
    for (const [client, clock] of decodeStateVector(news.stateVector)) {
      const isNews = (own.get(client) ?? 0) < clock
      if (isNews && (this.expected.size < EXPECTED_MAX || this.expected.has(client))) {
        this.expected.set(client, clock)
      }
    }
    if (this.expected.size > 0) this.expectedMs = Math.min(this.expectedMs, dueMs)
  }

  /**
   * What is to be done where the relay holds something else than this replica, though nothing is on its way: first
   * the active one has to say what it holds (`verify`); if that changes nothing, everything is exchanged.
   * @param isAtRest every edit is confirmed
   */
  compare(nowMs: number, replica: Replica, isAtRest: boolean): 'verify' | 'exchange' | undefined {
    if (nowMs < this.compareMs) return undefined
    // While it changes its digest is not worth computing.
    if (!isAtRest) {
      this.ownDigest = undefined
      this.compareMs = nowMs + AT_REST_MS
      return undefined
    }
    const own = replica.digest()
    if (own === this.digest) {
      this.hasDiverged = false
      this.isVerified = false
      this.exchanges = 0
      this.heldTheSame = true
      this.compareMs = nowMs + TOLD_WITHIN_MS
      return undefined
    }
    const wasAtRest = own === this.ownDigest
    const restMs = this.heldTheSame && !wasAtRest ? TOLD_WITHIN_MS : AT_REST_MS
    this.compareMs = Math.max(nowMs + restMs, this.exchangeAfterMs)
    this.ownDigest = own
    if (!wasAtRest || nowMs < this.exchangeAfterMs) return undefined
    this.isVerified = !this.isVerified
    if (this.isVerified) return 'verify'
    // While something is missing in between the two cannot but differ.
    this.hasDiverged = this.exchanges > 0 && !replica.hasGap()
    const pauseMs = Math.min(EXCHANGE_AGAIN_MS_MAX, EXCHANGE_AGAIN_MS * 2 ** this.exchanges)
    this.exchanges++
    this.exchangeAfterMs = nowMs + pauseMs
    // Its next digest comes with the next sweep; what it held before the exchange says nothing any more.
    this.digest = undefined
    this.compareMs = Number.POSITIVE_INFINITY
    return 'exchange'
  }
}

const NOTHING = Object.freeze({ ask: false, late: false })
