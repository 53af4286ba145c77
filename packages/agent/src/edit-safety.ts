import { type ClockRange, EditRanges, type Outbox } from '@skein/sync'
import type { EditProblem } from './connection.js'
import { DurabilityWaiters } from './durability.js'
import { SkeinError } from './errors.js'
import type { Persistence } from './persistence.js'
import { problemError } from './problems.js'
import { type ReceiptSource, receiptFor } from './receipt.js'
import type { Receipt, Tier } from './types.js'

const TIERS: readonly Tier[] = ['local', 'relay', 'quorum']

/** How safe each edit is, who waits for which, and what keeps one from getting safer. */
export class EditSafety implements ReceiptSource {
  /** An edit that a relay does not take; until everything is confirmed. */
  refusal: SkeinError | undefined
  /** Whether the last server was a plain one, which confirms nothing. */
  plainServer = false
  private readonly waiters = new DurabilityWaiters()
  /** The structs that no relay has confirmed, of edits of this run. */
  private readonly ranges = new EditRanges()
  /** The first edit that the refusal keeps from being confirmed. */
  private refusedFrom = 0
  private announcedConfirmed = 0

  constructor(
    private readonly outbox: Outbox,
    private readonly persistence: Persistence,
    private readonly storeError: SkeinError | undefined,
    /** Asks the relays to confirm soon. */
    private readonly hurry: () => void,
  ) {}

  /** Edits that no relay has confirmed, or that were not handed to a plain server. */
  get queued(): number {
    return this.plainServer ? this.outbox.notHandedOver : this.outbox.unconfirmed
  }

  get queuedRanges(): readonly ClockRange[] {
    return this.ranges.all
  }

  /** Numbers an edit. */
  made(update: Uint8Array): number {
    const edit = this.outbox.add()
    this.ranges.add(edit, update)
    return edit
  }

  hasReached(tier: Tier, edit: number): boolean {
    return tier === 'local' ? this.persistence.isSaved(edit) : this.outbox.isConfirmed(edit, tier)
  }

  /** Resolves when everything up to this edit has reached the tier. Rejects as `Space.durable` does. */
  async durable(tier: Tier, edit: number, signal: AbortSignal | undefined): Promise<void> {
    if (tier === 'local') {
      const error = this.storeError ?? this.persistence.error
      if (error !== undefined) throw error
      if (this.persistence.store.kind === 'memory') {
        throw new SkeinError('store-unavailable', 'this space is kept in memory only; give it a store')
      }
    } else if (this.refusal !== undefined && edit >= this.refusedFrom && !this.hasReached(tier, edit)) {
      throw this.refusal
    }
    const wait = this.waiters.add(tier, edit, signal)
    this.check()
    if (tier !== 'local' && !this.hasReached(tier, edit)) this.hurry()
    await wait
  }

  /** A receipt for the last edit. */
  receipt<T>(result: T): Receipt<T> {
    return receiptFor(this, this.outbox.last, result)
  }

  /** A relay did not take an edit. */
  refused(problem: EditProblem): void {
    const error = problemError(problem)
    if (this.refusal === undefined || problem.from < this.refusedFrom) this.refusedFrom = problem.from
    this.refusal = error
    for (const tier of ['relay', 'quorum'] as const) this.waiters.rejectFrom(tier, problem.from, error)
  }

  /** Whether relays have confirmed anything since this was last asked. */
  takeConfirmed(): boolean {
    const { confirmed, unconfirmed } = this.outbox
    if (confirmed <= this.announcedConfirmed) return false
    this.announcedConfirmed = confirmed
    this.ranges.deleteUpTo(confirmed)
    if (unconfirmed === 0) this.refusal = undefined
    return true
  }

  /** Something may have got safer. */
  check(): void {
    for (const tier of TIERS) this.waiters.settle(tier, (edit) => this.hasReached(tier, edit))
    const { error } = this.persistence
    if (error !== undefined) this.waiters.rejectFrom('local', 0, error)
  }

  /** Nobody need wait any longer. */
  end(error: SkeinError): void {
    this.waiters.rejectAll(error)
  }
}
