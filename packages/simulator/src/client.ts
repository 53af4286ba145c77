import type { Condition, Operation, OperationId, WriteOperation } from '@skein/paxos'
import type { Answer } from './calls.js'
import type { HistoryCall, HistoryCondition, HistoryOperation, HistoryResult } from './checks/linearizable.js'
import { Violation } from './checks/violation.js'
import type { Node } from './node.js'
import type { World } from './world.js'

/** What a client wants of a key. */
export type Wish = { readonly kind: 'read' } | WriteWish

export interface WriteWish {
  readonly kind: 'write'
  readonly data: string | undefined
  readonly condition: Condition | undefined
  readonly keepsFence: boolean
}

/** How a wish ended; undefined where its client gave up without knowing. */
export type Ending =
  | {
      readonly kind: 'done' | 'value' | 'conflict'
      readonly version: number
      readonly fence: number
      readonly value: string | undefined
    }
  | { readonly kind: 'not applied' }
  | undefined

/** Begins operations, asks again elsewhere where it got no answer, and keeps the history. */
export class Client {
  readonly history = new Map<string, HistoryOperation[]>()
  readonly knownVersion = new Map<string, number>()
  /** Set where it asks this member and no other. */
  only: Node | undefined
  private readonly lastSequence = new Map<string, number>()

  constructor(
    readonly world: World,
    readonly name: string,
  ) {}

  perform(key: string, wish: Wish, attempts: number, onEnd: (ending: Ending) => void): void {
    this.world.operationsOpen++
    new Performance(this, key, wish, attempts, (ending) => {
      this.world.operationsOpen--
      onEnd(ending)
    }).begin()
  }

  nextId(key: string): OperationId {
    const sequence = (this.lastSequence.get(key) ?? 0) + 1
    this.lastSequence.set(key, sequence)
    return { client: this.name, sequence }
  }

  record(key: string, operation: HistoryOperation): void {
    const operations = this.history.get(key)
    if (operations === undefined) this.history.set(key, [operation])
    else operations.push(operation)
  }

  saw(key: string, version: number): void {
    this.knownVersion.set(key, Math.max(version, this.knownVersion.get(key) ?? 0))
  }
}

/** One operation, in all its attempts. */
class Performance {
  private readonly invoked: number
  private readonly operation: Operation
  private resolveInvoked: number | undefined
  /** An earlier attempt may have had its effect, or may still have it. */
  private isOpen = false
  private attempt = 0

  constructor(
    private readonly client: Client,
    private readonly key: string,
    private readonly wish: Wish,
    private readonly attempts: number,
    private readonly onEnd: (ending: Ending) => void,
  ) {
    this.invoked = client.world.instant()
    this.operation = wish.kind === 'read' ? wish : this.writeOperation(wish)
  }

  private get world(): World {
    return this.client.world
  }

  begin(): void {
    this.attempt++
    this.ask(this.operation, (answer) => this.answered(answer))
  }

  private writeOperation({ data, condition, keepsFence }: WriteWish): WriteOperation {
    const { client, key, world } = this
    const id = client.nextId(key)
    world.checks.known.add(key, id, data, keepsFence)
    const since = world.random.chance(0.8) ? (client.knownVersion.get(key) ?? 0) : 0
    // One operation at a time: what came before has ended, be it that the client gave it up.
    const settled = world.random.chance(0.7) ? id.sequence - 1 : 0
    return { kind: 'write', id, since, settled, condition, data, keepsFence }
  }

  private ask(operation: Operation, onAnswer: (answer: Answer) => void): void {
    const node = this.chooseNode()
    if (node === undefined) this.world.events.after(50, () => onAnswer({ kind: 'not delivered' }))
    else this.world.calls.ask(node, this.key, operation, onAnswer)
  }

  /** The same member first, others when it did not answer. */
  private chooseNode(): Node | undefined {
    const { random } = this.world
    if (this.client.only !== undefined) return this.client.only
    const nodes = this.world.upNodes()
    if (nodes.length === 0) return undefined
    return this.attempt === 1 && random.chance(0.5) ? nodes[0] : random.pick(nodes)
  }

  private answered(answer: Answer): void {
    switch (answer.kind) {
      case 'done':
        this.applied(answer.version, answer.fence)
        break
      case 'value': {
        const { version, value, fence } = answer.current
        this.client.saw(this.key, version)
        this.record(this.invoked, { kind: 'read' }, { kind: 'value', version, value })
        this.onEnd({ kind: 'value', version, fence, value })
        break
      }
      case 'conflict': {
        const { version, value, fence } = answer.current
        this.client.saw(this.key, version)
        const result = { kind: this.isOpen ? 'value' : 'conflict', version, value } as const
        this.record(this.invoked, this.isOpen ? { kind: 'read' } : this.call(), result)
        // An earlier attempt may still be on its way to where the condition holds.
        if (this.isOpen) this.resolve()
        else {
          this.ruleOut()
          this.onEnd({ kind: 'conflict', version, fence, value })
        }
        break
      }
      case 'aborted':
      case 'forgotten':
        this.client.saw(this.key, answer.current.version)
        if (this.isOpen && answer.kind === 'forgotten') this.giveUp()
        else this.notApplied()
        break
      case 'unknown':
      case 'silence':
        this.isOpen = true
        this.retry()
        break
      case 'unavailable':
      case 'not delivered':
        this.retry()
        break
    }
  }

  private retry(): void {
    const { random, events } = this.world
    if (this.attempt < this.attempts) events.after(random.between(0, 100), () => this.begin())
    else if (!this.isOpen) this.notApplied()
    else if (this.wish.kind === 'write' && random.chance(0.6)) this.resolve()
    else this.giveUp()
  }

  /** Wants to know for sure. */
  private resolve(tries = 3): void {
    const { operation } = this
    if (operation.kind !== 'write') throw new Error('nothing to resolve')
    this.resolveInvoked ??= this.world.instant()
    this.attempt++
    this.ask({ kind: 'resolve', id: operation.id, since: operation.since }, (answer) => {
      if (answer.kind === 'done') this.applied(answer.version, answer.fence)
      else if (answer.kind === 'aborted') {
        this.client.saw(this.key, answer.current.version)
        this.ruleOut()
        this.record(this.resolveInvoked!, { kind: 'touch' }, undefined)
        this.onEnd({ kind: 'not applied' })
      } else if (answer.kind === 'forgotten' || tries === 0) this.giveUp()
      else this.world.events.after(50, () => this.resolve(tries - 1))
    })
  }

  private applied(version: number, fence: number): void {
    this.client.saw(this.key, version)
    this.record(this.invoked, this.call(), { kind: 'done', version })
    this.onEnd({
      kind: 'done',
      version,
      fence,
      value: this.wish.kind === 'write' ? this.wish.data : undefined,
    })
  }

  private notApplied(): void {
    this.ruleOut()
    this.onEnd({ kind: 'not applied' })
  }

  /** From now on it would be a mistake if the operation had an effect. */
  private ruleOut(): void {
    const { operation, key, world } = this
    if (operation.kind !== 'write') return
    const result = world.checks.key(key).versions.resultOf(operation.id)
    const { client, sequence } = operation.id
    if (result?.applied) throw new Violation('unavailable', `${client}#${sequence} was applied to ${key}`)
    world.checks.known.get(key, operation.id)!.isRuledOut = true
  }

  private giveUp(): void {
    if (this.wish.kind === 'write') {
      this.record(this.invoked, this.call(), undefined, true)
      if (this.resolveInvoked !== undefined)
        this.record(this.resolveInvoked, { kind: 'touch' }, undefined, true)
    }
    this.onEnd(undefined)
  }

  private record(
    invoked: number,
    call: HistoryCall,
    result: HistoryResult | undefined,
    isOpen = false,
  ): void {
    const returned = isOpen ? undefined : this.world.instant()
    this.client.record(this.key, { invoked, returned, call, result })
  }

  private call(): HistoryCall {
    const { wish } = this
    if (wish.kind === 'read') return wish
    const condition = historyCondition(wish.condition)
    return wish.data === undefined
      ? { kind: 'delete', condition }
      : { kind: 'set', value: wish.data, condition }
  }
}

function historyCondition(condition: Condition | undefined): HistoryCondition | undefined {
  if (condition?.kind === 'version') return { version: condition.version }
  if (condition?.kind === 'fence') return { fence: condition.fence }
  return condition?.kind
}
