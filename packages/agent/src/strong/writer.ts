import type { StrongCondition, StrongOperationId, StrongEntry as WireEntry } from '@skein/protocol'
import { randomId } from '../random-id.js'
import { KeyQueue } from './key-queue.js'
import type { KnownValues } from './known-values.js'
import type { Asked } from './request-table.js'
import type { Patience, RequestResult, Requests } from './requests.js'
import type { OperationId } from './types.js'
import { inTime } from './wait.js'

/** What a write does. */
export interface WriteOrder {
  readonly key: string
  readonly condition: StrongCondition
  /** A JSON text; undefined deletes. */
  readonly data: string | undefined
  readonly keepsFence: boolean
}

export type WriteOutcome =
  | { readonly kind: 'done'; readonly version: number; readonly fence: number }
  | { readonly kind: 'conflict'; readonly current: WireEntry }
  | { readonly kind: 'unknown'; readonly operation: OperationId; readonly forgotten: boolean }
  | Exclude<RequestResult['outcome'], { kind: 'done' | 'conflict' | 'unknown' | 'forgotten' | 'value' }>

/** Unknown writes of a key whose results relays are asked to keep; of older ones they may forget them. */
const UNRESOLVED_PER_KEY_MAX = 64
/** How often a first attempt may be told that too little is remembered: each time `since` is raised. */
const FORGOTTEN_MAX = 5

/**
 * Makes operations of writes: one at a time for a key, each with an id of its own, so that `settled` and
 * `since` say what they must (O4, O6 of the registers).
 */
export class Writer {
  private readonly client = randomId()
  private readonly queue = new KeyQueue()
  /** Sequences of writes whose outcome is unknown, by key. */
  private readonly unresolved = new Map<string, Set<number>>()
  private sequence = 0

  constructor(
    private readonly requests: Requests,
    private readonly known: KnownValues,
  ) {}

  /** What this run of the agent is called where it holds something. */
  get clientId(): string {
    return this.client
  }

  /**
   * Writes, once, in however many attempts.
   * @throws the signal's reason, where it aborts before anything can have been applied
   */
  async write(order: WriteOrder, patience: Patience): Promise<WriteOutcome> {
    const { key } = order
    let isTurn = true
    const leave = await this.queue.enter(key, async (turn) => {
      isTurn = await inTime(turn, patience)
    })
    try {
      if (!isTurn) return { kind: 'unavailable', reason: 'busy' }
      return await this.inTurn(order, patience)
    } finally {
      leave()
    }
  }

  /** @returns undefined where that cannot be told now; `forgotten` where it never can */
  async resolve(operation: OperationId, patience: Patience): Promise<boolean | 'forgotten' | undefined> {
    const { key, client, sequence, since } = operation
    const asked: Asked = { kind: 'resolve', key, id: { client, sequence }, since }
    const { outcome } = await this.requests.request(asked, patience)
    if (outcome.kind === 'aborted' || outcome.kind === 'forgotten') this.known.learn(key, outcome.current)
    if (outcome.kind !== 'done' && outcome.kind !== 'aborted') {
      return outcome.kind === 'forgotten' ? 'forgotten' : undefined
    }
    if (client === this.client) this.isResolved(key, sequence)
    return outcome.kind === 'done'
  }

  /** Nobody will ask what became of this write. */
  forget(outcome: WriteOutcome): void {
    if (outcome.kind === 'unknown') this.isResolved(outcome.operation.key, outcome.operation.sequence)
  }

  private async inTurn(order: WriteOrder, patience: Patience): Promise<WriteOutcome> {
    const { key } = order
    const id: StrongOperationId = { client: this.client, sequence: ++this.sequence }
    const settled = this.settledBefore(key, id.sequence)
    for (let attempt = 1; ; attempt++) {
      const since = this.known.versionOf(key)
      const asked: Asked = { kind: 'write', id, since, settled, ...order }
      const { outcome, exposed } = await this.requests.request(asked, patience)
      if ('current' in outcome) this.known.learn(key, outcome.current)
      switch (outcome.kind) {
        case 'done':
          this.known.learn(key, { value: order.data, ...outcome })
          return outcome
        case 'conflict':
          if (!exposed || !mayHoldLater(order.condition, outcome.current)) return outcome
          return await this.settleConflict({ ...id, key, since }, outcome, patience)
        case 'forgotten':
          if (exposed) return this.unknown({ ...id, key, since }, true)
          // Not applied, and never to be under this `since`; what is known now allows a higher one.
          if (attempt < FORGOTTEN_MAX) continue
          return { kind: 'unavailable', reason: 'busy' }
        case 'unknown':
        case 'value':
          return this.unknown({ ...id, key, since }, false)
        case 'refused':
          return exposed ? this.unknown({ ...id, key, since }, false) : outcome
        case 'aborted':
        case 'unavailable':
          return outcome
      }
    }
  }

  /** An earlier attempt may come through yet, when the condition holds again; so it is given up for good. */
  private async settleConflict(
    operation: OperationId,
    conflict: WriteOutcome & { kind: 'conflict' },
    patience: Patience,
  ): Promise<WriteOutcome> {
    const { key, client, sequence, since } = operation
    const asked: Asked = { kind: 'resolve', key, id: { client, sequence }, since }
    const { outcome } = await this.requests.request(asked, { ...patience, signal: undefined })
    if (outcome.kind === 'done') return outcome
    return outcome.kind === 'aborted' ? conflict : this.unknown(operation, outcome.kind === 'forgotten')
  }

  private unknown(operation: OperationId, forgotten: boolean): WriteOutcome {
    if (!forgotten) {
      const sequences = this.unresolved.get(operation.key) ?? new Set()
      this.unresolved.set(operation.key, sequences.add(operation.sequence))
      const [oldest] = sequences
      if (sequences.size > UNRESOLVED_PER_KEY_MAX && oldest !== undefined) sequences.delete(oldest)
    }
    return { kind: 'unknown', operation, forgotten }
  }

  private isResolved(key: string, sequence: number): void {
    const sequences = this.unresolved.get(key)
    sequences?.delete(sequence)
    if (sequences?.size === 0) this.unresolved.delete(key)
  }

  /** Up to here nobody will ask again: all before have their outcome, except those that are unknown. */
  private settledBefore(key: string, sequence: number): number {
    return Math.min(sequence, ...(this.unresolved.get(key) ?? [])) - 1
  }
}

/** Versions and fences never come back; a key may well be there or not again. */
function mayHoldLater(condition: StrongCondition, { version, fence }: WireEntry): boolean {
  switch (condition.kind) {
    case 'version':
      return version < condition.version
    case 'fence':
      return fence < condition.fence
    case 'none':
    case 'absent':
    case 'present':
      return true
  }
}
