import { type ClockReading, hasJumped, LEASE_CLOCK } from './lease-clock.js'
import { decodeLease, encodeLease, type LeaseData } from './lease-data.js'
import type { OperationId, WriteOperation } from './operations.js'
import type { Entry } from './register.js'

/** What every operation needs besides what it does. A retry is the very same operation again. */
export interface LeaseAttempt {
  readonly id: OperationId
  readonly settled: number
}

export interface LeaseTerm extends LeaseData {
  /**
   * Read before the first attempt of the operation that began the term was sent. An answer to a retry
   * counts from there as well: the first attempt may be the one that was applied.
   */
  readonly sentAt: ClockReading
  readonly version: number
  readonly fence: number
}

export type HolderState =
  /** Both on the monotonic clock. Renew from `renewAtMs` on; at `expiresAtMs` it is lost. */
  | { readonly kind: 'held'; readonly renewAtMs: number; readonly expiresAtMs: number }
  | { readonly kind: 'lost'; readonly reason: LostReason }

export type LostReason =
  /** The term ended before a renewal was known to be decided. */
  | 'expired'
  /** The device slept or a clock was changed, so nobody knows how much of the term is left. */
  | 'clock-jump'
  /** A renewal was refused: another holder, or none, has it now. */
  | 'taken'
  | 'released'

/** A third of the term: two renewals may fail before it is lost. */
const RENEWALS_PER_TERM = 3

/** Who has a lease, on its own clock. Lost is for ever: what comes next is another lease. */
export class LeaseHolder {
  private lost: LostReason | undefined

  constructor(private term: LeaseTerm) {}

  /** For the resources: they refuse what is below the highest that they have seen. */
  get fence(): number {
    return this.term.fence
  }

  /** To be asked before every act under the lease, and when one of its times is due. */
  state(now: ClockReading): HolderState {
    const { sentAt, ttlMs } = this.term
    const expiresAtMs = sentAt.monotonicMs + ttlMs
    if (hasJumped(sentAt, now)) this.lost ??= 'clock-jump'
    else if (now.monotonicMs >= expiresAtMs) this.lost ??= 'expired'
    if (this.lost !== undefined) return { kind: 'lost', reason: this.lost }
    return { kind: 'held', renewAtMs: sentAt.monotonicMs + ttlMs / RENEWALS_PER_TERM, expiresAtMs }
  }

  /** Holds as long as nobody took over, be it with a version that this holder does not know. */
  renew({ id, settled }: LeaseAttempt): WriteOperation {
    const { version, fence } = this.term
    const condition = { kind: 'fence', fence } as const
    const data = encodeLease(this.term)
    return { kind: 'write', id, since: version, settled, condition, data, keepsFence: true }
  }

  /** A renewal is decided. It does not bring back what was lost before its answer came. */
  renewed(now: ClockReading, sentAt: ClockReading, version: number): HolderState {
    const before = this.state(now)
    if (before.kind === 'lost' || version <= this.term.version) return before
    this.term = { ...this.term, sentAt, version }
    return this.state(now)
  }

  /** A renewal met a conflict. */
  taken(): void {
    this.lost ??= 'taken'
  }

  /** From here on it is not held, whatever becomes of the operation. */
  release({ id, settled }: LeaseAttempt): WriteOperation {
    this.lost ??= 'released'
    const { version, fence } = this.term
    const condition = { kind: 'fence', fence } as const
    return { kind: 'write', id, since: version, settled, condition, data: undefined, keepsFence: false }
  }
}

export type ChallengerState =
  /** Nothing was observed yet. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'free' }
  /** May take over at this time on the monotonic clock, if nothing changes. */
  | { readonly kind: 'waiting'; readonly holder: string; readonly untilMs: number }
  | { readonly kind: 'expired'; readonly holder: string }
  | { readonly kind: 'malformed' }

/** Who wants a lease, on its own clock. */
export class LeaseChallenger {
  private seen: { readonly entry: Entry; readonly since: ClockReading } | undefined

  /** The register was read, or a conflict told of it. What is older than what it knows tells nothing. */
  observe(now: ClockReading, entry: Entry): void {
    if (this.seen === undefined || entry.version > this.seen.entry.version) this.seen = { entry, since: now }
    else this.noticeJump(now)
  }

  state(now: ClockReading): ChallengerState {
    this.noticeJump(now)
    if (this.seen === undefined) return { kind: 'unknown' }
    const reading = decodeLease(this.seen.entry.value)
    if (reading.kind !== 'held') return reading
    const { holder, ttlMs } = reading.lease
    const waitMs = ttlMs * (1 + LEASE_CLOCK.drift) + LEASE_CLOCK.marginMs
    const untilMs = this.seen.since.monotonicMs + waitMs
    return now.monotonicMs < untilMs ? { kind: 'waiting', holder, untilMs } : { kind: 'expired', holder }
  }

  /**
   * Takes it, if it is still what was observed; where nothing was, if it is free. Undefined while it may
   * not: another may hold it.
   */
  acquire(now: ClockReading, lease: LeaseData, { id, settled }: LeaseAttempt): WriteOperation | undefined {
    const { kind } = this.state(now)
    if (kind === 'waiting' || kind === 'malformed') return undefined
    const version = this.seen?.entry.version
    const condition =
      version === undefined ? ({ kind: 'absent' } as const) : { kind: 'version' as const, version }
    const data = encodeLease(lease)
    return { kind: 'write', id, since: version ?? 0, settled, condition, data, keepsFence: false }
  }

  /** How long it waited is not known any more. */
  private noticeJump(now: ClockReading): void {
    if (this.seen !== undefined && hasJumped(this.seen.since, now)) this.seen = { ...this.seen, since: now }
  }
}
