import { type Ballot, compareBallots } from './ballot.js'
import { type Configuration, isQuorum, membersOf } from './configuration.js'
import type { ProposerEffects } from './effects.js'
import { PAXOS_LIMITS } from './limits.js'
import type { Promised, RegisterRequest } from './messages.js'
import { applyOperation } from './operations.js'
import type { Outcome, Submission } from './outcome.js'
import { EMPTY_REGISTER, entryOf, type Register } from './register.js'

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
  /** Where it lost the race for a version, it is told so at this time at the latest. */
  readonly tellByMs: number
}

/** What an operation comes to when its round is decided. */
interface Settlement {
  readonly pending: Pending
  readonly outcome: Outcome
}

type Round =
  | {
      readonly phase: 'prepare'
      readonly ballot: Ballot
      readonly deadlineMs: number
      readonly promises: Map<string, Promised>
      readonly refused: Set<string>
      /** An operation came after the first promise may have been given. */
      hasLatecomers: boolean
    }
  | {
      readonly phase: 'accept'
      readonly ballot: Ballot
      readonly deadlineMs: number
      readonly register: Register
      readonly next: Ballot
      readonly results: readonly Settlement[]
      readonly accepted: Set<string>
      readonly refused: Set<string>
    }

const ATTEMPT_MS = 200
const ATTEMPT_MS_MAX = 5_000
const BACKOFF_MS_MAX = 100

/**
 * Who lost the race for a version is told a few at a time: told all at once they would all come back with the
 * same version, and all but one would lose again.
 */
const LOSERS_AT_ONCE = 2
/** How long after a decision the next losers are told where nothing else is to be decided. */
const LOSERS_EVERY_MS = 5
/** No loser waits longer for its answer, nor to within this of its deadline. */
const LOSER_WAITS_MS_MAX = 100

/** The write rounds of one key: one at a time; what waits joins the next together. */
export class KeyRounds {
  private waiting: Pending[] = []
  /** Whose condition is on a version that is over, and who were not told yet. */
  private losers: Pending[] = []
  private tellLosersMs = Number.POSITIVE_INFINITY
  /** The newest that is known to be decided. */
  private known: Register = EMPTY_REGISTER
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
    return this.round === undefined && this.waiting.length === 0 && this.losers.length === 0
  }

  get waitingCount(): number {
    return (
      this.waiting.length +
      this.losers.length +
      (this.round?.phase === 'accept' ? this.round.results.length : 0)
    )
  }

  get deadlineMs(): number {
    const dueMs = this.waiting.length > 0 ? Number.NEGATIVE_INFINITY : this.tellLosersMs
    const startMs = Math.max(dueMs, this.notBeforeMs)
    const next = this.round?.deadlineMs ?? startMs
    return this.pendings().reduce((min, { deadlineMs }) => Math.min(min, deadlineMs), next)
  }

  add(nowMs: number, submission: Submission, out: ProposerEffects): void {
    const tellByMs = Math.min(nowMs, submission.deadlineMs - 2 * LOSER_WAITS_MS_MAX) + LOSER_WAITS_MS_MAX
    this.waiting.push({ ...submission, mayHaveLanded: false, isSettled: false, tellByMs })
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
    // A promise from before an operation began does not know what was decided in between.
    const isDecided = this.isQuorum(new Map(agreeing)) && !round.hasLatecomers
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
    if (this.round === undefined) this.sortOutLosers(nowMs)
    const isDue = this.waiting.length > 0 || nowMs >= this.tellLosersMs
    if (this.round !== undefined || !isDue || nowMs < this.notBeforeMs) return
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

  /** @param isDecided whether a quorum was seen to have accepted `before` since these operations began */
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
      // An accept of an earlier round may be what the register has forgotten.
      const isOpen = result.kind === 'forgotten' && pending.mayHaveLanded
      if (after !== register) pending.mayHaveLanded = true
      register = after
      return { pending, outcome: isOpen ? UNKNOWN : result }
    })
    // Unless this ballot is accepted, what an earlier round of theirs proposed may still be decided.
    const isOpen = results.some(({ pending }) => pending.mayHaveLanded)
    if (register === before && isDecided && !isOpen) {
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
    results: readonly Settlement[],
    out: ProposerEffects,
  ): void {
    this.round = undefined
    this.timeouts = 0
    this.refusals = 0
    this.notBeforeMs = Number.NEGATIVE_INFINITY
    out.learned.push({ key: this.key, entry: entryOf(register) })
    this.known = register
    for (const { pending, outcome } of results) {
      if (outcome.kind === 'conflict' && isBehind(pending, register)) this.losers.push(pending)
      else settle(pending, outcome, out)
    }
    this.tellLosers(nowMs, register, out)
    this.start(nowMs, out)
  }

  /** No round is spent on those alone who can win none: they are told with the next decision. */
  private sortOutLosers(nowMs: number): void {
    const hasLost = (pending: Pending) =>
      !pending.mayHaveLanded &&
      isBehind(pending, this.known) &&
      applyOperation(this.known, pending.operation).result.kind === 'conflict'
    const lost = this.waiting.filter(hasLost)
    if (lost.length === 0) return
    this.waiting = this.waiting.filter((pending) => !lost.includes(pending))
    this.losers.push(...lost)
    if (this.tellLosersMs === Number.POSITIVE_INFINITY) this.tellLosersMs = nowMs + LOSERS_EVERY_MS
  }

  /** @param register decided in a round that began after they had come */
  private tellLosers(nowMs: number, register: Register, out: ProposerEffects): void {
    const open = this.losers.filter(({ isSettled }) => !isSettled)
    const isTold = (pending: Pending, index: number) => index < LOSERS_AT_ONCE || pending.tellByMs <= nowMs
    for (const pending of open.filter(isTold)) {
      settle(pending, { kind: 'conflict', current: entryOf(register) }, out)
    }
    this.losers = open.filter(({ isSettled }) => !isSettled)
    this.tellLosersMs = this.losers.length > 0 ? nowMs + LOSERS_EVERY_MS : Number.POSITIVE_INFINITY
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
    settle(pending, pending.mayHaveLanded ? UNKNOWN : UNAVAILABLE, out)
    this.waiting = this.waiting.filter((other) => other !== pending)
    this.losers = this.losers.filter((other) => other !== pending)
    if (this.losers.length === 0) this.tellLosersMs = Number.POSITIVE_INFINITY
  }

  private pendings(): Pending[] {
    const taken = this.round?.phase === 'accept' ? this.round.results.map(({ pending }) => pending) : []
    return [...this.waiting, ...this.losers, ...taken.filter(({ isSettled }) => !isSettled)]
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

/**
 * A version never comes back: who lost the race for one has lost it for good, and may be told of a later one.
 * One that is yet to come may be there by then; who asks for that is told at once.
 */
function isBehind({ operation }: Pending, { version }: Register): boolean {
  return (
    operation.kind === 'write' &&
    operation.condition?.kind === 'version' &&
    operation.condition.version < version
  )
}

const UNKNOWN: Outcome = { kind: 'unknown' }
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
