import type { AckTier } from '@skein/protocol'

/**
 * Counts an agent's edits on their way. Edits are numbered from 1 for the life of the agent; the content
 * stays in the document, which can always say what a relay lacks, so only marks are kept here.
 */
export class Outbox {
  private editsMade: number
  private editsHandedOver = 0
  private awaited = 0
  private readonly confirmedTo = { relay: 0, quorum: 0 }
  /** Confirmed edits beyond: other paths than that of the first unconfirmed one took them. */
  private readonly confirmedBeyond = { relay: new Set<number>(), quorum: new Set<number>() }
  /** Tiers of which nothing is known yet about content of earlier runs, or of other agents with the same store. */
  private readonly hasPast: Set<AckTier>

  /**
   * @param carriedOver edits of earlier runs that no relay had confirmed, as far as is known
   * @param hasPast the document holds content of earlier runs, or of other agents with the same store
   */
  constructor(carriedOver = 0, hasPast = carriedOver > 0) {
    this.editsMade = carriedOver
    this.hasPast = new Set(hasPast ? ['relay', 'quorum'] : [])
  }

  /** Number of the last edit. */
  get last(): number {
    return this.editsMade
  }

  /** Number of the last edit that a relay confirmed to be on its disk; all before it are, too. */
  get confirmed(): number {
    return this.confirmedTo.relay
  }

  /**
   * Whether everything up to this edit has reached a tier. Of what earlier runs left that is only known
   * once a relay has confirmed anything: the first confirmation covers the whole document.
   */
  isConfirmed(edit: number, tier: AckTier = 'relay'): boolean {
    return edit <= this.confirmedTo[tier] && !this.hasPast.has(tier)
  }

  /** Edits that no relay has confirmed. */
  get unconfirmed(): number {
    return this.editsMade - this.confirmed
  }

  /** Edits that were given neither to a relay nor to a plain server. */
  get notHandedOver(): number {
    return this.editsMade - Math.max(this.editsHandedOver, this.confirmed)
  }

  /** Somebody waits for the last edit, or an earlier one, to be confirmed. */
  awaitConfirmation(): void {
    this.awaited = this.editsMade
  }

  /** Whether somebody waits for what is not confirmed yet. */
  get isAwaited(): boolean {
    return this.awaited > this.confirmed
  }

  /** Numbers a new edit. */
  add(): number {
    this.editsMade++
    return this.editsMade
  }

  /** Everything up to this edit was sent to a server that confirms nothing. */
  handOver(upTo: number): void {
    this.editsHandedOver = Math.max(this.editsHandedOver, upTo)
  }

  /** Everything up to this edit is on a relay's disk, or on those of a majority. */
  confirm(upTo: number, tier: AckTier = 'relay'): void {
    this.hasPast.delete(tier)
    this.confirmedTo[tier] = Math.max(this.confirmedTo[tier], upTo)
    const beyond = this.confirmedBeyond[tier]
    for (const edit of beyond) if (edit <= upTo) beyond.delete(edit)
    this.joinBeyond(tier)
    // A majority is never less than one.
    if (tier === 'quorum') this.confirm(upTo, 'relay')
  }

  /** Just these edits are on a relay's disk, or on those of a majority; whether those before are is open. */
  confirmEdits(from: number, upTo: number, tier: AckTier = 'relay'): void {
    for (let edit = Math.max(from, this.confirmedTo[tier] + 1); edit <= upTo; edit++) {
      this.confirmedBeyond[tier].add(edit)
    }
    this.joinBeyond(tier)
    if (tier === 'quorum') this.confirmEdits(from, upTo, 'relay')
  }

  private joinBeyond(tier: AckTier): void {
    const beyond = this.confirmedBeyond[tier]
    while (beyond.delete(this.confirmedTo[tier] + 1)) this.confirmedTo[tier]++
  }
}
