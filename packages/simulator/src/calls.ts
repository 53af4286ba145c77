import type { Operation, Outcome } from '@skein/paxos'
import type { Node } from './node.js'
import type { World } from './world.js'

/** What a client hears of an attempt: an outcome, or that the member cannot be reached, or nothing for too long. */
export type Answer = Outcome | { readonly kind: 'not delivered' } | { readonly kind: 'silence' }

interface Call {
  readonly node: Node
  readonly life: number
  readonly key: string
  readonly operation: Operation
  readonly answer: (answer: Answer, afterMs: number) => void
}

/** Attempts on their way between clients and members. */
export class Calls {
  private readonly open = new Map<number, Call>()
  private lastToken = 0
  isPerfect = false

  constructor(private readonly world: World) {}

  /** Asks a member. `onAnswer` is called once. */
  ask(node: Node, key: string, operation: Operation, onAnswer: (answer: Answer) => void): void {
    const { events, random, swarm } = this.world
    const token = this.lastToken++
    const forMs = this.isPerfect ? 10_000 : swarm.deadlineMs
    let isAnswered = false
    const answer = (value: Answer, afterMs: number) =>
      events.after(afterMs, () => {
        if (isAnswered) return
        isAnswered = true
        onAnswer(value)
      })
    const patienceMs = forMs * random.pick([1, 2]) + 100
    answer({ kind: 'silence' }, patienceMs)
    if (this.isLost()) return
    events.after(this.delay(), () => {
      if (!node.isUp) {
        answer({ kind: 'not delivered' }, this.delay())
        return
      }
      this.open.set(token, { node, life: node.life, key, operation, answer })
      this.world.log?.(`${node.id} is asked ${token}: ${key} ${JSON.stringify(operation)}`)
      node.submit({ token, key, operation }, forMs)
      if (!this.isPerfect && random.chance(0.02)) node.cancel(key, token)
    })
  }

  ended(node: Node, token: number, outcome: Outcome): void {
    const call = this.open.get(token)
    this.world.log?.(`${node.id} answers ${token}: ${JSON.stringify(outcome)}`)
    if (call === undefined || call.node !== node || call.life !== node.life) return
    this.open.delete(token)
    this.world.checks.ended({ token, key: call.key, operation: call.operation }, outcome)
    if (!this.isLost()) call.answer(outcome, this.delay())
  }

  /** A member has ended: its clients see their connections break. */
  broken(node: Node): void {
    for (const [token, call] of this.open) {
      if (call.node !== node) continue
      this.open.delete(token)
      if (!this.isLost()) call.answer({ kind: 'unknown' }, this.delay())
    }
  }

  private isLost(): boolean {
    return !this.isPerfect && this.world.random.chance(this.world.swarm.clientLoss)
  }

  private delay(): number {
    return this.world.random.between(0.1, this.world.swarm.delayMs)
  }
}
