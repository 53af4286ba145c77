import { decodeStateVector, type NewsMessage } from '@skein/protocol'
import type { Replica } from '../session.js'

/** Beyond the round trip that the active path may take for what a standby already knows. */
const BRING_WITHIN_MS = 200
/** Pause between two questions for what the active path does not bring. */
const ASK_AGAIN_MS = 1_000
/** A digest counts once nothing has changed for so long. */
const AT_REST_MS = 1_000
/** Pause before a relay that still differs after an exchange is exchanged with again; it doubles. */
const EXCHANGE_AGAIN_MS = 10_000
const EXCHANGE_AGAIN_MS_MAX = 160_000

/** What a path that stands by has told: it checks the active path, and is checked by it. */
export class StandbyNews {
  /** The relay still held something else after an exchange. */
  hasDiverged = false
  private readonly expected = new Map<number, number>()
  private expectedMs = Number.POSITIVE_INFINITY
  private digest: string | undefined
  private ownDigest: string | undefined
  private compareMs = Number.POSITIVE_INFINITY
  /** The active path was asked what it holds since the last exchange. */
  private isVerified = false
  private exchanges = 0
  private exchangeAfterMs = Number.NEGATIVE_INFINITY

  /** When `isOverdue` or `compare` wants to be asked. */
  get dueMs(): number {
    return Math.min(this.expectedMs, this.compareMs)
  }

  heard(nowMs: number, news: NewsMessage, replica: Replica, roundTripMs: number): void {
    const own = decodeStateVector(replica.stateVector())
    for (const [client, clock] of decodeStateVector(news.stateVector)) {
      if ((own.get(client) ?? 0) < clock) this.expected.set(client, clock)
    }
    if (this.expected.size > 0) {
      this.expectedMs = Math.min(this.expectedMs, nowMs + BRING_WITHIN_MS + 2 * roundTripMs)
    }
    if (news.digest === undefined) return
    this.digest = news.digest
    this.ownDigest = undefined
    this.compareMs = nowMs + AT_REST_MS
  }

  /** Whether the active path has still not brought what this one told of. */
  isOverdue(nowMs: number, replica: Replica): boolean {
    if (nowMs < this.expectedMs) return false
    const own = decodeStateVector(replica.stateVector())
    for (const [client, clock] of this.expected) {
      if ((own.get(client) ?? 0) >= clock) this.expected.delete(client)
    }
    this.expectedMs = this.expected.size > 0 ? nowMs + ASK_AGAIN_MS : Number.POSITIVE_INFINITY
    return this.expected.size > 0
  }

  /**
   * What is to be done where the relay holds something else than this replica, though nothing is on its way: first
   * the active one has to say what it holds (`verify`); if that changes nothing, everything is exchanged.
   * @param isAtRest every edit is confirmed
   */
  compare(nowMs: number, replica: Replica, isAtRest: boolean): 'verify' | 'exchange' | undefined {
    if (nowMs < this.compareMs) return undefined
    const own = replica.digest()
    if (own === this.digest) {
      this.hasDiverged = false
      this.isVerified = false
      this.exchanges = 0
      this.compareMs = Number.POSITIVE_INFINITY
      return undefined
    }
    this.compareMs = Math.max(nowMs + AT_REST_MS, this.exchangeAfterMs)
    const wasAtRest = own === this.ownDigest
    this.ownDigest = own
    if (!isAtRest || !wasAtRest || nowMs < this.exchangeAfterMs) return undefined
    this.isVerified = !this.isVerified
    if (this.isVerified) return 'verify'
    this.hasDiverged = this.exchanges > 0
    const pauseMs = Math.min(EXCHANGE_AGAIN_MS_MAX, EXCHANGE_AGAIN_MS * 2 ** this.exchanges)
    this.exchanges++
    this.exchangeAfterMs = nowMs + pauseMs
    // Its next digest comes with the next sweep; what it held before the exchange says nothing any more.
    this.digest = undefined
    this.compareMs = Number.POSITIVE_INFINITY
    return 'exchange'
  }
}
