import type { AckTier } from '@skein/protocol'
import type { Outbox } from './outbox.js'

/** Edits by their numbers in the outbox, both included. */
export interface EditSpan {
  readonly from: number
  readonly upTo: number
}

/** The whole document. */
export const EVERYTHING: EditSpan = Object.freeze({ from: 1, upTo: Number.POSITIVE_INFINITY })

/** A numbered update on its way. */
interface Waiting {
  readonly seq: number
  /** The first edit that it held and none before it. */
  readonly first: number
  /** It holds the document as it was when this was the last edit. */
  readonly wholeUpTo: number | undefined
  /** The edits that it holds beside. */
  readonly spans: readonly EditSpan[]
}

/** The numbered updates of one connection, and which edits their acknowledgements stand for. */
export class NumberedUpdates {
  private seq = 0
  /** The first number that was refused: acknowledgements of later ones no longer cover all before them. */
  private refusedSeq = Number.POSITIVE_INFINITY
  /** What waits for its acknowledgement, for each tier that it comes from; oldest first. */
  private readonly waiting: Record<AckTier, Waiting[]> = { relay: [], quorum: [] }
  /** What is not known yet to have arrived. */
  private arriving: Waiting[] = []

  constructor(private readonly outbox: Outbox) {}

  /** The number that was given last; 0 before there is one. */
  get last(): number {
    return this.seq
  }

  get isAwaited(): boolean {
    return this.waiting.relay.length > 0
  }

  /** Whether an acknowledgement is still to come, of any tier. */
  get hasUnconfirmed(): boolean {
    return this.waiting.relay.length > 0 || this.waiting.quorum.length > 0
  }

  /**
   * Numbers an update that is sent.
   * @param spans the edits that it holds, or `EVERYTHING`
   * @param first the first of them that was not sent before
   */
  add(spans: readonly EditSpan[], first: number, tiers: readonly AckTier[]): number {
    this.seq++
    const isWhole = spans[0] === EVERYTHING
    const wholeUpTo = isWhole ? this.outbox.last : undefined
    const entry: Waiting = { seq: this.seq, first, wholeUpTo, spans: isWhole ? [] : spans }
    for (const tier of tiers) push(this.waiting[tier], entry)
    push(this.arriving, entry)
    return this.seq
  }

  /** The next one is not sent at all, for it is too large. */
  skip(): void {
    this.refusedSeq = Math.min(this.refusedSeq, this.seq + 1)
  }

  /** Everything up to this number is on disk; tells the outbox. Returns the edits now known to have arrived. */
  acknowledged(to: number, tier: AckTier): EditSpan[] {
    const waiting = this.waiting[tier]
    while (waiting.length > 0 && waiting[0]!.seq <= to) {
      const { seq, wholeUpTo, spans } = waiting.shift()!
      if (seq >= this.refusedSeq) continue
      if (wholeUpTo !== undefined) this.outbox.confirm(wholeUpTo, tier)
      for (const span of spans) this.outbox.confirmEdits(span.from, span.upTo, tier)
    }
    return this.received(to)
  }

  /** Everything up to this number has arrived. Returns the edits of which that was not known. */
  received(to: number): EditSpan[] {
    const arrived: EditSpan[] = []
    while (this.arriving.length > 0 && this.arriving[0]!.seq <= to) {
      arrived.push(...editsOf(this.arriving.shift()!))
    }
    return arrived
  }

  /** One was refused. Returns the edits that it held, and the first of them that no update before it did. */
  rejected(seq: number): { readonly first: number | undefined; readonly spans: readonly EditSpan[] } {
    this.refusedSeq = Math.min(this.refusedSeq, seq)
    const refused = this.waiting.relay.find((entry) => entry.seq === seq)
    const others = (entries: readonly Waiting[]) => entries.filter((entry) => entry.seq !== seq)
    this.waiting.relay = others(this.waiting.relay)
    this.waiting.quorum = others(this.waiting.quorum)
    this.arriving = others(this.arriving)
    return { first: refused?.first, spans: refused === undefined ? [] : editsOf(refused) }
  }
}

/** Neighbours as one. */
export function joinedSpans(spans: readonly EditSpan[]): EditSpan[] {
  const joined: EditSpan[] = []
  for (const span of spans) {
    const last = joined.at(-1)
    if (last !== undefined && last.upTo + 1 === span.from)
      joined[joined.length - 1] = { ...last, upTo: span.upTo }
    else joined.push(span)
  }
  return joined
}

function editsOf({ wholeUpTo, spans }: Waiting): readonly EditSpan[] {
  return wholeUpTo === undefined ? spans : [{ from: 1, upTo: wholeUpTo }, ...spans]
}

function push(entries: Waiting[], entry: Waiting): void {
  // Beyond the limit the newest entries share one, which is confirmed with the last of them.
  const shared = entries.length >= WAITING_MAX ? entries.pop() : undefined
  entries.push(shared === undefined ? entry : joinedEntries(shared, entry))
}

function joinedEntries(earlier: Waiting, later: Waiting): Waiting {
  return {
    seq: later.seq,
    first: earlier.first,
    wholeUpTo: later.wholeUpTo ?? earlier.wholeUpTo,
    spans: joinedSpans([...earlier.spans, ...later.spans]),
  }
}

/** Unacknowledged updates that are tracked one by one. */
const WAITING_MAX = 10_000
