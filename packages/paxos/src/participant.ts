import { Acceptor, type AcceptorEffects, type AcceptorStore, type AcceptorWrite } from './acceptor.js'
import { compareBallots } from './ballot.js'
import { assertCanBecome, type Configuration, type Member } from './configuration.js'
import type { Envelope, ProposerEffects } from './effects.js'
import {
  type ChangeEffects,
  type ChangeOutcome,
  hasSameMembers,
  MembershipChange,
} from './membership-change.js'
import type { Commit, OtherEpoch, PeerMessage } from './messages.js'
import type { Outcome, Submission } from './outcome.js'
import { Proposer } from './proposer.js'
import { type Entry, entryOf } from './register.js'
import { Watches } from './watches.js'

export interface ParticipantOptions {
  readonly id: string
  /** Raised and on disk before the participant is made; never used before by this id. */
  readonly incarnation: number
  /** From the disk, or the first one of a new cluster, then on disk already. */
  readonly configuration: Configuration
  readonly store: AcceptorStore
}

/**
 * What a step wants done. `persist` first and in order; `persisted` then gives the answers that had to
 * wait for it. What is in `send` needs nothing to be on disk.
 */
export interface ParticipantEffects {
  readonly persist: AcceptorWrite[]
  readonly send: Envelope[]
  readonly outcomes: { readonly token: number; readonly outcome: Outcome }[]
  /** Decided values of watched keys, each version at most once and rising. */
  readonly learned: { readonly key: string; readonly entry: Entry }[]
  changed: ChangeOutcome | undefined
}

/** A relay's part in the strong region: acceptor, proposer and learner in one. */
export class Participant {
  readonly id: string
  private readonly acceptor: Acceptor
  private readonly proposer: Proposer
  private readonly watches = new Watches()
  private change: MembershipChange | undefined
  /** Operations of its own have tokens below 0. */
  private lastOwnToken = 0
  private readonly changeOperations = new Map<number, string>()
  private readonly incarnation: number
  private changeCount = 0

  constructor({ id, incarnation, configuration, store }: ParticipantOptions) {
    this.id = id
    this.incarnation = incarnation
    this.acceptor = new Acceptor(configuration, store)
    const known = (key: string) => this.acceptor.record(key)
    this.proposer = new Proposer({ id, incarnation, configuration, known })
  }

  get configuration(): Configuration {
    return this.proposer.configuration
  }

  /** When `timeout` is due; Infinity while there is nothing to wait for. */
  get deadlineMs(): number {
    return Math.min(
      this.proposer.deadlineMs,
      this.watches.deadlineMs,
      this.change?.deadlineMs ?? Number.POSITIVE_INFINITY,
    )
  }

  /** @param submission its token is a whole number from 0, not in use by another operation under way */
  submit(nowMs: number, submission: Submission): ParticipantEffects {
    return this.run(nowMs, (step) => step.proposed(this.proposer.submit(nowMs, submission)))
  }

  /** Ends an operation for which nobody waits any more; its outcome says what may have become of it. */
  cancel(nowMs: number, key: string, token: number): ParticipantEffects {
    return this.run(nowMs, (step) => step.proposed(this.proposer.cancel(key, token)))
  }

  receive(nowMs: number, from: string, message: PeerMessage): ParticipantEffects {
    return this.run(nowMs, (step) => this.take(nowMs, from, message, step))
  }

  /** What was handed out for the disk is there, up to this number. */
  persisted(nowMs: number, number: number): ParticipantEffects {
    return this.run(nowMs, (step) => step.answered(this.acceptor.persisted(number)))
  }

  timeout(nowMs: number): ParticipantEffects {
    return this.run(nowMs, (step) => {
      step.proposed(this.proposer.timeout(nowMs))
      for (const key of this.watches.due(nowMs)) this.readForWatchers(nowMs, key, step)
      this.changeStep(nowMs, this.change?.timeout(nowMs), step)
    })
  }

  /**
   * A member can be reached again: it may not have heard what was sent meanwhile, nor of a change after which
   * nobody is left whom it would ask.
   */
  connected(nowMs: number, id: string): ParticipantEffects {
    return this.run(nowMs, (step) => {
      step.send(id, { kind: 'install', configuration: this.configuration })
      step.proposed(this.proposer.resend(id))
    })
  }

  /** From now on `learned` tells of this key; first of what is decided now. */
  watch(nowMs: number, key: string): ParticipantEffects {
    return this.run(nowMs, (step) => {
      this.watches.add(nowMs, key)
      for (const due of this.watches.due(nowMs)) this.readForWatchers(nowMs, due, step)
    })
  }

  unwatch(key: string): void {
    this.watches.remove(key)
  }

  /**
   * Makes these the members. One change at a time; the same one may be begun again anywhere and goes on.
   * `changed` of the effects tells how it ended.
   * @throws RangeError for members that the present ones can never become (`assertCanBecome`)
   */
  changeMembers(nowMs: number, members: readonly Member[]): ParticipantEffects {
    const { configuration } = this
    assertCanBecome(configuration, members)
    return this.run(nowMs, (step) => {
      if (configuration.next !== undefined && !hasSameMembers(configuration.next, members)) {
        step.effects.changed = { kind: 'other-change', configuration }
      } else {
        this.changeOperations.clear()
        const name = `${this.id}/${this.incarnation}/${++this.changeCount}`
        this.change = new MembershipChange(nowMs, name, members, configuration)
        this.changeStep(nowMs, this.change.timeout(nowMs), step)
      }
    })
  }

  /** How far a change of members is; undefined while there is none. */
  get changeProgress(): { readonly copied: number; readonly found: number } | undefined {
    return this.change?.progress
  }

  private run(nowMs: number, first: (step: Step) => void): ParticipantEffects {
    const step = new Step(this.id)
    first(step)
    for (;;) {
      const message = step.local.shift()
      if (message !== undefined) this.take(nowMs, this.id, message, step)
      else if (!this.settleOutcomes(nowMs, step)) break
    }
    step.effects.learned.push(...step.decided.filter(({ key, entry }) => this.watches.isNews(key, entry)))
    return step.effects
  }

  private take(nowMs: number, from: string, message: PeerMessage, step: Step): void {
    switch (message.kind) {
      case 'prepare':
      case 'accept':
      case 'read':
      case 'list':
        step.answered(this.acceptor.receive(from, message))
        break
      case 'install':
        step.answered(this.acceptor.receive(from, message))
        this.configure(nowMs, message.configuration, step)
        break
      case 'commit':
        this.committed(nowMs, message, step)
        break
      case 'promised':
      case 'accepted':
      case 'refused':
      case 'current':
        step.proposed(this.proposer.receive(nowMs, from, message))
        break
      case 'other-epoch':
        this.otherEpoch(from, message, step)
        break
      case 'installed':
        step.proposed(this.proposer.resend(from))
        this.changeStep(nowMs, this.change?.installed(nowMs, from, message), step)
        break
      case 'listed':
        this.changeStep(nowMs, this.change?.listedKeys(nowMs, from, message), step)
        break
    }
  }

  private committed(nowMs: number, { key, ballot }: Commit, step: Step): void {
    if (!this.watches.has(key)) return
    const { accepted, register } = this.acceptor.record(key)
    const order = compareBallots(accepted, ballot)
    if (order === 0) step.decided.push({ key, entry: entryOf(register) })
    else if (order < 0) this.watches.missed(nowMs, key)
  }

  private otherEpoch(from: string, { configuration }: OtherEpoch, step: Step): void {
    if (configuration.epoch < this.configuration.epoch) {
      step.send(from, { kind: 'install', configuration: this.configuration })
    } else if (configuration.epoch > this.configuration.epoch) {
      step.send(this.id, { kind: 'install', configuration })
    }
  }

  private configure(nowMs: number, configuration: Configuration, step: Step): void {
    if (configuration.epoch <= this.configuration.epoch) return
    step.proposed(this.proposer.configured(nowMs, configuration))
    this.changeStep(nowMs, this.change?.configured(nowMs, configuration), step)
  }

  private readForWatchers(nowMs: number, key: string, step: Step): void {
    const token = --this.lastOwnToken
    step.proposed(
      this.proposer.submit(nowMs, {
        token,
        key,
        operation: { kind: 'read' },
        deadlineMs: nowMs + OWN_OPERATION_MS,
      }),
    )
  }

  private changeStep(nowMs: number, effects: ChangeEffects | undefined, step: Step): void {
    if (effects === undefined) return
    for (const { to, message } of effects.send) step.send(to, message)
    if (effects.configuration !== undefined) {
      step.send(this.id, { kind: 'install', configuration: effects.configuration })
    }
    for (const { name, key, operation } of effects.operations) {
      const token = --this.lastOwnToken
      this.changeOperations.set(token, name)
      const deadlineMs = nowMs + OWN_OPERATION_MS
      step.proposed(this.proposer.submit(nowMs, { token, key, operation, deadlineMs }))
    }
    if (effects.outcome !== undefined) {
      this.change = undefined
      this.changeOperations.clear()
      step.effects.changed = effects.outcome
    }
  }

  /** Takes the outcomes of its own operations; true where there were any. */
  private settleOutcomes(nowMs: number, step: Step): boolean {
    const own = step.outcomes.filter(({ token }) => token < 0)
    step.effects.outcomes.push(...step.outcomes.filter(({ token }) => token >= 0))
    step.outcomes = []
    for (const { token, outcome } of own) {
      const name = this.changeOperations.get(token)
      this.changeOperations.delete(token)
      if (name === undefined) continue
      this.changeStep(nowMs, this.change?.operationEnded(nowMs, name, outcome), step)
    }
    return own.length > 0
  }
}

const OWN_OPERATION_MS = 2_000

/** Collects what one step brings about. Messages to the member itself are worked on in the same step. */
class Step {
  readonly effects: ParticipantEffects = {
    persist: [],
    send: [],
    outcomes: [],
    learned: [],
    changed: undefined,
  }
  readonly local: PeerMessage[] = []
  readonly decided: { readonly key: string; readonly entry: Entry }[] = []
  outcomes: { readonly token: number; readonly outcome: Outcome }[] = []

  constructor(private readonly id: string) {}

  send(to: string, message: PeerMessage): void {
    if (to === this.id) this.local.push(message)
    else this.effects.send.push({ to, message })
  }

  answered({ persist, replies }: AcceptorEffects): void {
    this.effects.persist.push(...persist)
    for (const { to, reply } of replies) this.send(to, reply)
  }

  proposed({ send, outcomes, learned }: ProposerEffects): void {
    for (const { to, message } of send) this.send(to, message)
    this.outcomes.push(...outcomes)
    this.decided.push(...learned)
  }
}
