import type { Operation, Outcome, PeerMessage } from '@skein/paxos'
import { Violation } from '../checks/violation.js'
import type { PaxosModule } from '../paxos-module.js'
import { Machine, type Transition } from './machine.js'
import {
  AcceptorBehaviour,
  type AcceptorInput,
  type Output,
  ProposerBehaviour,
  type ProposerInput,
} from './members.js'
import { SentMessages } from './sent.js'

/** A world so small that everything that can happen in it is tried. */
export interface Scope {
  readonly name: string
  /** By proposer, one after the other. */
  readonly operations: readonly (readonly Operation[])[]
  /** No attempt has a counter above this. */
  readonly counterMax: number
  readonly timeouts: number
  readonly restarts: number
  readonly hasSlowDisks: boolean
  readonly statesMax: number
}

export interface Exploration {
  readonly states: number
  /** False: `statesMax` was reached. */
  readonly isComplete: boolean
  readonly violation: { readonly check: string; readonly message: string } | undefined
}

/**
 * All that was sent stays deliverable for ever: so every message may be lost, late, repeated and out of order.
 */
interface State {
  readonly members: readonly number[]
  /** The number of the set of messages. */
  readonly sent: number
  /** By proposer: how many operations it was given, and whether it has one under way. */
  readonly given: readonly number[]
  readonly isBusy: readonly boolean[]
  /** By proposer: the newest version that anyone had been told of when its operation began. */
  readonly floors: readonly number[]
  readonly told: number
}

/** A step's outputs, with messages by number. */
interface Consequence {
  readonly messages: readonly number[]
  readonly outcomes: readonly Outcome[]
}

const ACCEPTORS = ['A', 'B', 'C']
const PROPOSERS = ['x', 'y']
const ALL = [...ACCEPTORS, ...PROPOSERS]

/** Tries everything that can happen within the scope, each state once, the nearest first. */
export function explore(paxos: PaxosModule, scope: Scope): Exploration {
  const explorer = new Explorer(paxos, scope)
  try {
    return { ...explorer.run(), violation: undefined }
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    return {
      states: explorer.states,
      isComplete: false,
      violation: { check: error.check, message: error.message },
    }
  }
}

class Explorer {
  private readonly acceptors: readonly Machine<AcceptorInput, Output>[]
  private readonly proposers: readonly Machine<ProposerInput, Output>[]
  private readonly sent = new SentMessages(ACCEPTORS.length)
  private readonly consequences = ALL.map(() => new Map<Transition<Output>, Consequence>())
  private readonly seen = new Set<string>()
  private readonly queue: State[] = []

  constructor(
    paxos: PaxosModule,
    private readonly scope: Scope,
  ) {
    const configuration = { epoch: 1, members: ACCEPTORS.map((id) => ({ id, store: id })) }
    this.acceptors = ACCEPTORS.map(
      () => new Machine(() => new AcceptorBehaviour(paxos, configuration, scope.hasSlowDisks)),
    )
    this.proposers = PROPOSERS.map(
      (id) => new Machine(() => new ProposerBehaviour(paxos, id, configuration, scope)),
    )
  }

  get states(): number {
    return this.seen.size
  }

  run(): { states: number; isComplete: boolean } {
    const members = [...this.acceptors, ...this.proposers].map(({ first }) => first)
    this.reach({
      members,
      sent: this.sent.empty,
      given: [0, 0],
      isBusy: [false, false],
      floors: [0, 0],
      told: 0,
    })
    for (let index = 0; index < this.queue.length; index++) {
      if (this.seen.size > this.scope.statesMax) return { states: this.seen.size, isComplete: false }
      this.expand(this.queue[index]!)
      // What is done would be most of the memory.
      this.queue[index] = undefined as unknown as State
    }
    return { states: this.seen.size, isComplete: true }
  }

  private expand(state: State): void {
    for (const number of this.sent.of(state.sent)) this.deliver(state, number)
    for (const [index] of PROPOSERS.entries()) {
      this.submit(state, index)
      if (this.scope.timeouts > 0) this.own(state, ACCEPTORS.length + index, 'timeout')
      if (this.scope.restarts > 0) this.restart(state, index)
    }
    if (!this.scope.hasSlowDisks) return
    for (const [index] of ACCEPTORS.entries()) {
      this.own(state, index, 'flush')
      // One that crashes is enough.
      if (index === 0) this.own(state, index, 'crash')
    }
  }

  private deliver(state: State, number: number): void {
    const { from, to, message } = this.sent.message(number)
    const member = ALL.indexOf(to)
    const current = state.members[member]!
    const name = String(number)
    if (member < ACCEPTORS.length) {
      const request = message as (AcceptorInput & { kind: 'request' })['request']
      this.follow(
        state,
        member,
        this.acceptors[member]!.step(current, name, { kind: 'request', from, request }),
      )
    } else {
      const input = { kind: 'reply', from, reply: message } as const
      this.follow(state, member, this.proposers[member - ACCEPTORS.length]!.step(current, name, input))
    }
  }

  private own(state: State, member: number, kind: 'timeout' | 'flush' | 'crash'): void {
    const current = state.members[member]!
    const machine =
      member < ACCEPTORS.length ? this.acceptors[member]! : this.proposers[member - ACCEPTORS.length]!
    this.follow(
      state,
      member,
      (machine as Machine<{ kind: typeof kind }, Output>).step(current, kind, { kind }),
    )
  }

  private submit(state: State, index: number): void {
    const operation = this.scope.operations[index]![state.given[index]!]
    if (operation === undefined || state.isBusy[index]) return
    const given = with_(state.given, index, state.given[index]! + 1)
    const floors = with_(state.floors, index, state.told)
    const begun = { ...state, given, floors, isBusy: with_(state.isBusy, index, true) }
    const member = ACCEPTORS.length + index
    const transition = this.proposers[index]!.step(state.members[member]!, `s${given[index]}`, {
      kind: 'submit',
      operation,
    })
    this.follow(begun, member, transition)
  }

  /** The operation under way is lost with the process. */
  private restart(state: State, index: number): void {
    const member = ACCEPTORS.length + index
    const transition = this.proposers[index]!.step(state.members[member]!, 'restart', { kind: 'restart' })
    if (transition.state !== state.members[member]) {
      this.follow({ ...state, isBusy: with_(state.isBusy, index, false) }, member, transition)
    }
  }

  private follow(state: State, member: number, transition: Transition<Output>): void {
    const { state: next, outputs } = transition
    if (next === state.members[member] && outputs.length === 0) return
    let after: State =
      next === state.members[member] ? state : { ...state, members: with_(state.members, member, next) }
    const { messages, outcomes } = this.consequenceOf(member, transition)
    let { sent } = after
    for (const message of messages) sent = this.sent.add(sent, message)
    if (sent !== after.sent) after = { ...after, sent }
    for (const outcome of outcomes) after = this.ended(after, member - ACCEPTORS.length, outcome)
    if (after !== state) this.reach(after)
  }

  private consequenceOf(member: number, transition: Transition<Output>): Consequence {
    let consequence = this.consequences[member]!.get(transition)
    if (consequence === undefined) {
      const { outputs } = transition
      const messages = outputs.flatMap((output) =>
        output.kind === 'send' && !this.isBeyondScope(output.message)
          ? [this.sent.intern({ from: ALL[member]!, to: output.to, message: output.message })]
          : [],
      )
      const outcomes = outputs.flatMap((output) => (output.kind === 'outcome' ? [output.outcome] : []))
      consequence = { messages, outcomes }
      this.consequences[member]!.set(transition, consequence)
    }
    return consequence
  }

  private isBeyondScope(message: PeerMessage): boolean {
    return (
      (message.kind === 'prepare' || message.kind === 'accept') &&
      message.ballot.counter > this.scope.counterMax
    )
  }

  private ended(state: State, index: number, outcome: Outcome): State {
    const version = this.versionTold(state, outcome)
    if (version < state.floors[index]!) {
      throw new Violation('explorer: linearizable', `told of v${version} after v${state.floors[index]}`)
    }
    return { ...state, told: Math.max(state.told, version), isBusy: with_(state.isBusy, index, false) }
  }

  private versionTold(state: State, outcome: Outcome): number {
    if (outcome.kind === 'unknown' || outcome.kind === 'unavailable') return state.told
    const decided = this.sent.proposals(state.sent).filter(({ isDecided }) => isDecided)
    if (outcome.kind === 'done') {
      const { version } = outcome
      if (decided.some(({ register }) => register.version >= version)) return version
      throw new Violation('explorer: acknowledged', `v${version} is not decided`)
    }
    const { version, value } = outcome.current
    if (version === 0) return version
    const isKnown = decided.some(
      ({ register }) =>
        register.version > version || (register.version === version && register.data === value),
    )
    if (isKnown) return version
    throw new Violation('explorer: acknowledged', `v${version} is not decided`)
  }

  private reach(state: State): void {
    const { members, sent, given, isBusy, floors, told } = state
    // A short text is hashed much faster than a readable one. Numbers may need more than 16 bits.
    const busy = (isBusy[0] ? 1 : 0) + (isBusy[1] ? 2 : 0)
    const name = String.fromCharCode(
      ...members,
      sent & 0xffff,
      sent >>> 16,
      given[0]! * 16 + given[1]!,
      busy,
      floors[0]! * 16 + floors[1]!,
      told,
    )
    if (this.seen.has(name)) return
    this.seen.add(name)
    this.queue.push(state)
  }
}

function with_<T>(values: readonly T[], index: number, value: T): readonly T[] {
  const copy = [...values]
  copy[index] = value
  return copy
}
