import { type Ballot, maxBallot, ZERO_BALLOT } from './ballot.js'
import type { Configuration } from './configuration.js'
import { type ProposerEffects, proposerEffects } from './effects.js'
import { KeyReads, type KnownRegister } from './key-reads.js'
import { type CachedPromise, KeyRounds } from './key-rounds.js'
import { PAXOS_LIMITS } from './limits.js'
import type { Accepted, Promised, ReadReply, Refused } from './messages.js'
import type { Submission } from './outcome.js'

export interface ProposerOptions {
  /** The member's own id. */
  readonly id: string
  /** On disk before the proposer is made, and higher than at every start before. */
  readonly incarnation: number
  readonly configuration: Configuration
  /** What the member's own acceptor has of a key, on disk or not. */
  known(key: string): KnownRegister
}

interface KeyState {
  readonly rounds: KeyRounds
  readonly reads: KeyReads
}

/** Brings operations to a decision: rounds per key, independent of each other. */
export class Proposer {
  private readonly keys = new Map<string, KeyState>()
  private readonly promises = new Map<string, CachedPromise>()
  private current: Configuration
  private highest: Ballot = ZERO_BALLOT
  private lastRead: number

  constructor(private readonly options: ProposerOptions) {
    // An answer to a read of an earlier life must not be taken for one to a read of this one.
    this.lastRead = options.incarnation * READS_PER_LIFE
    this.current = options.configuration
  }

  get configuration(): Configuration {
    return this.current
  }

  /** When `timeout` is due; Infinity while nothing is under way. */
  get deadlineMs(): number {
    let deadlineMs = Number.POSITIVE_INFINITY
    for (const { rounds, reads } of this.keys.values()) {
      deadlineMs = Math.min(deadlineMs, rounds.deadlineMs, reads.deadlineMs)
    }
    return deadlineMs
  }

  submit(nowMs: number, submission: Submission): ProposerEffects {
    const { key, token, operation } = submission
    return this.collect((out) => {
      if (this.isBusy(key)) {
        out.outcomes.push({ token, outcome: { kind: 'unavailable', reason: 'busy' } })
      } else if (operation.kind === 'read' && operation.takesRound !== true) {
        this.stateOf(key).reads.add(nowMs, submission, out)
      } else {
        this.stateOf(key).rounds.add(nowMs, submission, out)
      }
    }, key)
  }

  /** Nobody waits for it any more. Its outcome comes at once. */
  cancel(key: string, token: number): ProposerEffects {
    return this.collect((out) => {
      this.keys.get(key)?.rounds.cancel(token, out)
      this.keys.get(key)?.reads.cancel(token, out)
    }, key)
  }

  receive(nowMs: number, from: string, reply: Promised | Accepted | Refused | ReadReply): ProposerEffects {
    // Also where it is too late to matter: the next ballot has to be higher.
    if (reply.kind === 'refused') this.highest = maxBallot(this.highest, reply.promised)
    return this.collect((out) => {
      const state = this.keys.get(reply.key)
      if (state === undefined) return
      switch (reply.kind) {
        case 'promised':
          state.rounds.promised(nowMs, from, reply, out)
          break
        case 'accepted':
          state.rounds.accepted(nowMs, from, reply.ballot, out)
          break
        case 'refused':
          state.rounds.refused(nowMs, from, reply.ballot, out)
          break
        case 'current':
          handOver(nowMs, state, state.reads.replied(nowMs, from, reply, out), out)
          break
      }
    }, reply.key)
  }

  timeout(nowMs: number): ProposerEffects {
    return this.collect((out) => {
      for (const state of this.keys.values()) {
        handOver(nowMs, state, state.reads.timeout(nowMs, out), out)
        state.rounds.timeout(nowMs, out)
      }
    })
  }

  /** Goes on with other members. Promises of the old ones are worth nothing. */
  configured(nowMs: number, configuration: Configuration): ProposerEffects {
    this.current = configuration
    this.promises.clear()
    return this.collect((out) => {
      for (const { rounds, reads } of this.keys.values()) {
        rounds.restart(nowMs, out)
        reads.restart(nowMs, out)
      }
    })
  }

  /** Asks a member again whatever is open: it was away, or of another epoch. */
  resend(to: string): ProposerEffects {
    return this.collect((out) => {
      for (const { rounds, reads } of this.keys.values()) {
        rounds.resend(to, out)
        reads.resend(to, out)
      }
    })
  }

  private collect(step: (out: ProposerEffects) => void, key?: string): ProposerEffects {
    const out = proposerEffects()
    step(out)
    for (const name of key === undefined ? [...this.keys.keys()] : [key]) {
      const state = this.keys.get(name)
      if (state?.rounds.isIdle && state.reads.isIdle) this.keys.delete(name)
    }
    return out
  }

  private isBusy(key: string): boolean {
    const state = this.keys.get(key)
    if (state === undefined) return this.keys.size >= PAXOS_LIMITS.busyKeysMax
    return state.rounds.waitingCount + state.reads.waitingCount >= PAXOS_LIMITS.operationsPerKeyMax
  }

  private stateOf(key: string): KeyState {
    let state = this.keys.get(key)
    if (state === undefined) {
      const proposer = this
      const context = {
        get configuration() {
          return proposer.current
        },
        nextBallot: () => this.nextBallot(),
        nextRead: () => ++this.lastRead,
        known: (name: string) => this.options.known(name),
        takePromise: (name: string) => this.takePromise(name),
        keepPromise: (name: string, promise: CachedPromise) => this.keepPromise(name, promise),
      }
      state = { rounds: new KeyRounds(key, context), reads: new KeyReads(key, context) }
      this.keys.set(key, state)
    }
    return state
  }

  private nextBallot(): Ballot {
    const counter = this.highest.counter + 1
    if (!Number.isSafeInteger(counter)) throw new RangeError('ballots are used up')
    const { id: proposer, incarnation } = this.options
    this.highest = { counter, proposer, incarnation }
    return this.highest
  }

  private takePromise(key: string): CachedPromise | undefined {
    const promise = this.promises.get(key)
    this.promises.delete(key)
    return promise
  }

  private keepPromise(key: string, promise: CachedPromise): void {
    this.promises.delete(key)
    this.promises.set(key, promise)
    if (this.promises.size <= PAXOS_LIMITS.cachedPromisesMax) return
    for (const oldest of this.promises.keys()) {
      this.promises.delete(oldest)
      return
    }
  }
}

/** Leaves 2^21 incarnations below 2^53. */
const READS_PER_LIFE = 2 ** 32

function handOver(nowMs: number, { rounds }: KeyState, reads: readonly Submission[], out: ProposerEffects) {
  for (const read of reads) rounds.add(nowMs, read, out)
}
