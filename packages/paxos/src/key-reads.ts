import { type Ballot, compareBallots } from './ballot.js'
import { type Configuration, isQuorum, membersOf } from './configuration.js'
import type { ProposerEffects } from './effects.js'
import type { ReadReply } from './messages.js'
import type { Submission } from './outcome.js'
import { entryOf, type Register } from './register.js'

/** What the proposer's own acceptor has, so that others need not send the same again. */
export interface KnownRegister {
  readonly accepted: Ballot
  readonly register: Register
}

export interface ReadContext {
  readonly configuration: Configuration
  /** Never used before, by an earlier life of the proposer neither. */
  nextBallot(): Ballot
  known(key: string): KnownRegister
}

interface ReadRound {
  readonly ballot: Ballot
  readonly known: KnownRegister
  readonly replies: Map<string, ReadReply>
  readonly reads: Submission[]
  deadlineMs: number
}

const ATTEMPT_MS = 200
/** A quorum has answered and disagrees: how long to wait for the others before a full round settles it. */
const DISAGREEMENT_MS = 5

/**
 * Reads without a write: where a quorum has accepted one ballot, its value is decided, and was the newest
 * when the read began. One at a time; reads that come meanwhile began later and share the next.
 */
export class KeyReads {
  private waiting: Submission[] = []
  private round: ReadRound | undefined

  constructor(
    private readonly key: string,
    private readonly context: ReadContext,
  ) {}

  get isIdle(): boolean {
    return this.round === undefined && this.waiting.length === 0
  }

  get waitingCount(): number {
    return this.waiting.length + (this.round?.reads.length ?? 0)
  }

  get deadlineMs(): number {
    const next = this.round?.deadlineMs ?? Infinity
    return this.pendings().reduce((min, { deadlineMs }) => Math.min(min, deadlineMs), next)
  }

  add(nowMs: number, read: Submission, out: ProposerEffects): void {
    this.waiting.push(read)
    this.start(nowMs, out)
  }

  cancel(token: number, out: ProposerEffects): void {
    for (const read of this.pendings()) {
      if (read.token === token) this.giveUp(read, out)
    }
  }

  /** Returns the reads that need a full round. */
  replied(nowMs: number, from: string, reply: ReadReply, out: ProposerEffects): readonly Submission[] {
    const { round } = this
    if (round === undefined || compareBallots(reply.round, round.ballot) !== 0) return []
    round.replies.set(from, reply)
    if (!this.isQuorum([...round.replies.keys()])) return []
    const register = this.agreed(round)
    if (register !== undefined) {
      this.round = undefined
      const entry = entryOf(register)
      out.learned.push({ key: this.key, entry })
      for (const { token } of round.reads) {
        out.outcomes.push({ token, outcome: { kind: 'value', current: entry } })
      }
      this.start(nowMs, out)
      return []
    }
    if (round.replies.size === membersOf(this.context.configuration).length) return this.hand(nowMs, out)
    round.deadlineMs = Math.min(round.deadlineMs, nowMs + DISAGREEMENT_MS)
    return []
  }

  /** Returns the reads that need a full round. */
  timeout(nowMs: number, out: ProposerEffects): readonly Submission[] {
    for (const read of this.pendings()) {
      if (read.deadlineMs <= nowMs) this.giveUp(read, out)
    }
    const isLate = this.round !== undefined && this.round.deadlineMs <= nowMs
    return isLate ? this.hand(nowMs, out) : []
  }

  restart(nowMs: number, out: ProposerEffects): void {
    this.waiting.unshift(...(this.round?.reads ?? []))
    this.round = undefined
    this.start(nowMs, out)
  }

  resend(to: string, out: ProposerEffects): void {
    const { round, key } = this
    if (round === undefined) return
    const { epoch } = this.context.configuration
    const known = round.known.accepted
    out.send.push({ to, message: { kind: 'read', epoch, key, round: round.ballot, known } })
  }

  private start(nowMs: number, out: ProposerEffects): void {
    if (this.round !== undefined || this.waiting.length === 0) return
    this.round = {
      ballot: this.context.nextBallot(),
      known: this.context.known(this.key),
      replies: new Map(),
      reads: this.waiting.splice(0),
      deadlineMs: nowMs + ATTEMPT_MS,
    }
    for (const to of membersOf(this.context.configuration)) this.resend(to, out)
  }

  private agreed({ replies, known }: ReadRound): Register | undefined {
    for (const { accepted } of replies.values()) {
      const same = [...replies].filter(([, reply]) => compareBallots(reply.accepted, accepted) === 0)
      if (!this.isQuorum(same.map(([id]) => id))) continue
      return same.find(([, { register }]) => register !== undefined)?.[1].register ?? known.register
    }
    return undefined
  }

  private hand(nowMs: number, out: ProposerEffects): readonly Submission[] {
    const reads = this.round?.reads ?? []
    this.round = undefined
    this.start(nowMs, out)
    return reads
  }

  private giveUp(read: Submission, out: ProposerEffects): void {
    out.outcomes.push({ token: read.token, outcome: { kind: 'unavailable', reason: 'no-quorum' } })
    this.waiting = this.waiting.filter((other) => other !== read)
    const reads = this.round?.reads
    if (reads?.includes(read)) reads.splice(reads.indexOf(read), 1)
  }

  private pendings(): Submission[] {
    return [...this.waiting, ...(this.round?.reads ?? [])]
  }

  private isQuorum(ids: readonly string[]): boolean {
    return isQuorum(this.context.configuration, new Set(ids))
  }
}
