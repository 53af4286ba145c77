import { type Ballot, compareBallots } from './ballot.js'
import { type Configuration, isQuorum, membersOf } from './configuration.js'
import type { ProposerEffects } from './effects.js'
import { PAXOS_LIMITS } from './limits.js'
import type { Promised, RegisterRequest } from './messages.js'
import { applyOperation, type Result } from './operations.js'
import type { Outcome, Submission } from './outcome.js'
import { entryOf, type Register } from './register.js'

/** A quorum has promised this ballot while it had all accepted `register`: the next write needs no prepare. */
export interface CachedPromise {
  readonly ballot: Ballot
  readonly register: Register
}

/** What the rounds of a key share with those of other keys. */
export interface RoundContext {
  readonly configuration: Configuration
  /** Higher than every ballot used or heard of. */
  nextBallot(): Ballot
  /** Forgets the promise as it gives it out: a promise is used once, whatever comes of it. */
  takePromise(key: string): CachedPromise | undefined
  keepPromise(key: string, promise: CachedPromise): void
}

interface Pending extends Submission {
  /** It was part of an accept, so that nobody can say for sure that it will not be applied. */
  mayHaveLanded: boolean
  isSettled: boolean
}

type Round =
  | {
      readonly phase: 'prepare'
      readonly ballot: Ballot
      readonly deadlineMs: number
      readonly promises: Map<string, Promised>
      readonly refused: Set<string>
      /** Operations have come since the promises were asked for, which say nothing about what is newest now. */
      hasLatecomers: boolean
    }
  | {
      readonly phase: 'accept'
      readonly ballot: Ballot
      readonly deadlineMs: number
      readonly register: Register
      readonly next: Ballot
      readonly results: readonly { readonly pending: Pending; readonly result: Result }[]
      readonly accepted: Set<string>
      readonly refused: Set<string>
    }

const ATTEMPT_MS = 200
const ATTEMPT_MS_MAX = 5_000
const BACKOFF_MS_MAX = 100

/** The write rounds of one key: one at a time; what waits joins the next together. */
export class KeyRounds {
  private waiting: Pending[] = []
  private round: Round | undefined
  /** Since the last decision. */
  private timeouts = 0
  private refusals = 0
  private notBeforeMs = Number.NEGATIVE_INFINITY

  constructor(
    private readonly key: string,
    private readonly context: RoundContext,
  ) {}

  get isIdle(): boolean {
    return this.round === undefined && this.waiting.length === 0
  }

  get waitingCount(): number {
    return this.waiting.length + (this.round?.phase === 'accept' ? this.round.results.length : 0)
  }

  get deadlineMs(): number {
    const next = this.round?.deadlineMs ?? (this.waiting.length > 0 ? this.notBeforeMs : Infinity)
    return this.pendings().reduce((min, { deadlineMs }) => Math.min(min, deadlineMs), next)
  }

  add(nowMs: number, submission: Submission, out: ProposerEffects): void {
    this.waiting.push({ ...submission, mayHaveLanded: false, isSettled: false })
    if (this.round?.phase === 'prepare') this.round.hasLatecomers = true
    this.start(nowMs, out)
  }

  /** Ends an operation that its caller no longer waits for, or whose time is up. */
  cancel(token: number, out: ProposerEffects): void {
    for (const pending of this.pendings()) {
      if (pending.token === token) this.giveUp(pending, out)
    }
  }

  promised(nowMs: number, from: string, promise: Promised, out: ProposerEffects): void {
    const { round } = this
    if (round?.phase !== 'prepare' || compareBallots(promise.ballot, round.ballot) !== 0) return
    round.promises.set(from, promise)
    if (!this.isQuorum(round.promises)) return
    const promises = [...round.promises.values()]
    const { accepted, register } = promises.reduce((highest, next) =>
      compareBallots(next.accepted, highest.accepted) > 0 ? next : highest,
    )
    const agreeing = [...round.promises].filter(([, p]) => compareBallots(p.accepted, accepted) === 0)
    // Only an accept makes sure that an earlier one, which a minority may have, is never decided.
    const mayHaveLanded = this.waiting.some((pending) => pending.mayHaveLanded)
    const isDecided = this.isQuorum(new Map(agreeing)) && !round.hasLatecomers && !mayHaveLanded
    this.propose(nowMs, round.ballot, register, isDecided, out)
  }

  accepted(nowMs: number, from: string, ballot: Ballot, out: ProposerEffects): void {
    const { round, key } = this
    if (round?.phase !== 'accept' || compareBallots(ballot, round.ballot) !== 0) return
    round.accepted.add(from)
    if (!isQuorum(this.context.configuration, round.accepted)) return
    this.context.keepPromise(key, { ballot: round.next, register: round.register })
    for (const to of membersOf(this.context.configuration)) {
      out.send.push({ to, message: { kind: 'commit', key, ballot } })
    }
    this.decided(nowMs, round.register, round.results, out)
  }

  refused(nowMs: number, from: string, ballot: Ballot, out: ProposerEffects): void {
    const { round } = this
    if (round === undefined || compareBallots(ballot, round.ballot) !== 0) return
    round.refused.add(from)
    const left = membersOf(this.context.configuration).filter((id) => !round.refused.has(id))
    if (isQuorum(this.context.configuration, new Set(left))) return
    this.notBeforeMs = nowMs + this.backoffMs(round.ballot)
    this.refusals++
    this.failRound()
    this.start(nowMs, out)
  }

  timeout(nowMs: number, out: ProposerEffects): void {
    for (const pending of this.pendings()) {
      if (pending.deadlineMs <= nowMs) this.giveUp(pending, out)
    }
    if (this.round !== undefined && this.round.deadlineMs <= nowMs) {
      this.timeouts++
      this.failRound()
    }
    this.start(nowMs, out)
  }

  /** The members have changed: what they answered as the old ones counts no longer. */
  restart(nowMs: number, out: ProposerEffects): void {
    this.failRound()
    this.start(nowMs, out)
  }

  /** Asks a member again that may not have heard. */
  resend(to: string, out: ProposerEffects): void {
    const message = this.request()
    if (message !== undefined) out.send.push({ to, message })
  }

  private start(nowMs: number, out: ProposerEffects): void {
    if (this.round !== undefined || this.waiting.length === 0 || nowMs < this.notBeforeMs) return
    const promise = this.context.takePromise(this.key)
    // What the promise says may be old by now, so it decides nothing before it is accepted again.
    if (promise !== undefined) {
      this.propose(nowMs, promise.ballot, promise.register, false, out)
      return
    }
    this.round = {
      phase: 'prepare',
      ballot: this.context.nextBallot(),
      deadlineMs: this.attemptDeadline(nowMs),
      promises: new Map(),
      refused: new Set(),
      hasLatecomers: false,
    }
    this.broadcast(out)
  }

  /** @param isDecided whether a quorum has just been seen to have accepted `before` under one ballot */
  private propose(
    nowMs: number,
    ballot: Ballot,
    before: Register,
    isDecided: boolean,
    out: ProposerEffects,
  ): void {
    let register = before
    const results = this.waiting.splice(0, PAXOS_LIMITS.operationsPerRoundMax).map((pending) => {
      const { register: after, result } = applyOperation(register, pending.operation)
      if (after !== register) pending.mayHaveLanded = true
      register = after
      return { pending, result }
    })
    if (register === before && isDecided) {
      this.context.keepPromise(this.key, { ballot, register })
      this.decided(nowMs, register, results, out)
      return
    }
    this.round = {
      phase: 'accept',
      ballot,
      deadlineMs: this.attemptDeadline(nowMs),
      register,
      next: this.context.nextBallot(),
      results,
      accepted: new Set(),
      refused: new Set(),
    }
    this.broadcast(out)
  }

  private decided(
    nowMs: number,
    register: Register,
    results: readonly { readonly pending: Pending; readonly result: Result }[],
    out: ProposerEffects,
  ): void {
    this.round = undefined
    this.timeouts = 0
    this.refusals = 0
    this.notBeforeMs = Number.NEGATIVE_INFINITY
    out.learned.push({ key: this.key, entry: entryOf(register) })
    for (const { pending, result } of results) {
      // What was forgotten may be an earlier round of this very attempt.
      const isUnknown = result.kind === 'forgotten' && pending.mayHaveLanded
      settle(pending, isUnknown ? { kind: 'unknown' } : result, out)
    }
    this.start(nowMs, out)
  }

  /** Ends the round without a decision; its operations take part in the next. */
  private failRound(): void {
    if (this.round?.phase === 'accept') {
      const open = this.round.results.map(({ pending }) => pending).filter(({ isSettled }) => !isSettled)
      this.waiting.unshift(...open)
    }
    this.round = undefined
  }

  private giveUp(pending: Pending, out: ProposerEffects): void {
    settle(pending, pending.mayHaveLanded ? { kind: 'unknown' } : UNAVAILABLE, out)
    this.waiting = this.waiting.filter((other) => other !== pending)
  }

  private pendings(): Pending[] {
    const taken = this.round?.phase === 'accept' ? this.round.results.map(({ pending }) => pending) : []
    return [...this.waiting, ...taken.filter(({ isSettled }) => !isSettled)]
  }

  private broadcast(out: ProposerEffects): void {
    for (const to of membersOf(this.context.configuration)) this.resend(to, out)
  }

  private request(): RegisterRequest | undefined {
    const { round, key } = this
    if (round === undefined) return undefined
    const { epoch } = this.context.configuration
    const { ballot } = round
    return round.phase === 'prepare'
      ? { kind: 'prepare', epoch, key, ballot }
      : { kind: 'accept', epoch, key, ballot, register: round.register, next: round.next }
  }

  private isQuorum(byMember: ReadonlyMap<string, unknown>): boolean {
    return isQuorum(this.context.configuration, new Set(byMember.keys()))
  }

  private attemptDeadline(nowMs: number): number {
    return nowMs + Math.min(ATTEMPT_MS_MAX, ATTEMPT_MS * 2 ** Math.min(this.timeouts, 10))
  }

  /** Grows with every refusal, and is not the same for two proposers that keep refusing each other. */
  private backoffMs(ballot: Ballot): number {
    return Math.min(BACKOFF_MS_MAX, 2 ** Math.min(this.refusals, 10)) * fractionOf(ballot)
  }
}

const UNAVAILABLE: Outcome = { kind: 'unavailable', reason: 'no-quorum' }

function settle(pending: Pending, outcome: Outcome, out: ProposerEffects): void {
  if (pending.isSettled) return
  pending.isSettled = true
  out.outcomes.push({ token: pending.token, outcome })
}

/** At least 0 and below 1, as good as random, and the same at every run. FNV-1a over the ballot's text. */
function fractionOf({ counter, proposer, incarnation }: Ballot): number {
  let hash = 0x811c9dc5
  for (const character of `${counter}/${proposer}/${incarnation}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
  }
  return (hash >>> 0) / 2 ** 32
}
