import {
  assertCanBecome,
  type ChangeOutcome,
  type Configuration,
  type Entry,
  type Member,
  type Operation,
  type Outcome,
  Participant,
  type ParticipantEffects,
  type PeerMessage,
} from '@skein/paxos'
import type { ExecuteOptions, StrongRegion } from '../strong/region.js'
import { checkOperation } from './check-operation.js'
import type { ClusterMetrics } from './cluster-metrics.js'
import { CLUSTER_LIMITS } from './limits.js'
import { Persistence } from './persistence.js'
import type { ClusterStorage } from './storage.js'
import { Watchers } from './watchers.js'

export interface ClusterHostOptions {
  readonly id: string
  readonly clientId: string
  /** On disk already. */
  readonly incarnation: number
  readonly storage: ClusterStorage
  readonly metrics: ClusterMetrics
  readonly send: (to: string, message: PeerMessage) => void
  readonly configured: (configuration: Configuration) => void
  /** The disk failed, or the member met a mistake of its own: it takes no part any more. */
  readonly failed: (error: unknown) => void
}

interface Waiting {
  readonly key: string
  readonly operation: Operation
  readonly beganMs: number
  readonly deadlineMs: number
  readonly settle: (outcome: Outcome) => void
}

const NO_QUORUM: Outcome = Object.freeze({ kind: 'unavailable', reason: 'no-quorum' })
const BUSY: Outcome = Object.freeze({ kind: 'unavailable', reason: 'busy' })

/** Drives a member with time, a disk and links. Before the cluster is formed operations wait for it. */
export class ClusterHost implements StrongRegion {
  readonly clientId: string
  private participant: Participant | undefined
  private isStopped = false
  private lastToken = 0
  private lastConfiguration: Configuration | undefined
  private readonly waiting = new Map<number, Waiting>()
  private readonly watchers = new Watchers()
  private readonly persistence: Persistence
  private timer: ReturnType<typeof setTimeout> | undefined
  private isTimerDue = false
  private changed: ((outcome: ChangeOutcome) => void) | undefined

  constructor(private readonly options: ClusterHostOptions) {
    this.clientId = options.clientId
    this.persistence = new Persistence(
      options.storage,
      (number, tookMs, writes) => {
        options.metrics.flushed(tookMs, writes)
        this.step((participant, nowMs) => participant.persisted(nowMs, number))
      },
      (error) => {
        this.stop()
        options.failed(error)
      },
    )
  }

  get configuration(): Configuration | undefined {
    return this.participant?.configuration
  }

  get changeProgress(): { readonly copied: number; readonly found: number } | undefined {
    return this.participant?.changeProgress
  }

  /** Takes part from now on. @param configuration on disk already */
  start(configuration: Configuration): void {
    if (this.isStopped || this.participant !== undefined) return
    const { id, incarnation, storage } = this.options
    this.participant = new Participant({ id, incarnation, configuration, store: storage.store })
    for (const [token, waiting] of this.waiting) this.submit(token, waiting)
    for (const key of this.watchers.keys) {
      this.step((participant, nowMs) => participant.watch(nowMs, key))
    }
    this.scheduleTimer()
  }

  execute(key: string, operation: Operation, { withinMs, signal }: ExecuteOptions): Promise<Outcome> {
    try {
      checkOperation(key, operation)
    } catch (error) {
      return Promise.reject(error)
    }
    if (this.isStopped || signal?.aborted) return Promise.resolve(NO_QUORUM)
    if (this.participant === undefined && this.waiting.size >= CLUSTER_LIMITS.waitingMax) {
      return Promise.resolve(BUSY)
    }
    const token = this.lastToken++
    const beganMs = performance.now()
    const deadlineMs = beganMs + Math.min(withinMs, CLUSTER_LIMITS.withinMsMax)
    return new Promise((resolve) => {
      const abort = () => this.cancel(token)
      const settle = (outcome: Outcome) => {
        signal?.removeEventListener('abort', abort)
        this.options.metrics.ended(outcome.kind, performance.now() - beganMs)
        resolve(outcome)
      }
      signal?.addEventListener('abort', abort)
      const waiting = { key, operation, beganMs, deadlineMs, settle }
      this.waiting.set(token, waiting)
      if (this.participant !== undefined) this.submit(token, waiting)
      else this.scheduleTimer()
    })
  }

  watch(key: string, onEntry: (entry: Entry) => void): () => void {
    const { remove } = this.watchers.add(key, onEntry)
    // Again for each watcher: the first thing it is told is what is decided now.
    this.step((participant, nowMs) => participant.watch(nowMs, key))
    return () => {
      if (remove()) this.participant?.unwatch(key)
    }
  }

  receive(from: string, messages: readonly PeerMessage[]): void {
    for (const message of messages) {
      this.step((participant, nowMs) => participant.receive(nowMs, from, message))
    }
  }

  connected(id: string): void {
    this.step((participant, nowMs) => participant.connected(nowMs, id))
  }

  /** Begins, or goes on with, a change of members. One at a time. @throws RangeError where it cannot be */
  changeMembers(members: readonly Member[], changed: (outcome: ChangeOutcome) => void): void {
    // In a step it would be taken for a failure of the region, and end it.
    if (this.configuration !== undefined) assertCanBecome(this.configuration, members)
    this.changed = changed
    this.step((participant, nowMs) => participant.changeMembers(nowMs, members))
  }

  /** Takes no part any more. What waits gets its outcome: nothing that may have been applied is denied. */
  stop(): void {
    if (this.isStopped) return
    for (const token of [...this.waiting.keys()]) this.cancel(token)
    this.isStopped = true
    this.persistence.stop()
    clearTimeout(this.timer)
  }

  private submit(token: number, { key, operation, deadlineMs }: Waiting): void {
    this.step((participant, nowMs) => participant.submit(nowMs, { token, key, operation, deadlineMs }))
  }

  private cancel(token: number): void {
    const waiting = this.waiting.get(token)
    if (waiting === undefined) return
    if (this.participant === undefined) this.settle(token, NO_QUORUM)
    else this.step((participant, nowMs) => participant.cancel(nowMs, waiting.key, token))
  }

  private settle(token: number, outcome: Outcome): void {
    const waiting = this.waiting.get(token)
    this.waiting.delete(token)
    waiting?.settle(outcome)
  }

  private step(run: (participant: Participant, nowMs: number) => ParticipantEffects): void {
    const { participant } = this
    if (participant === undefined || this.isStopped) return
    try {
      this.apply(run(participant, performance.now()))
      const { configuration } = participant
      if (configuration !== this.lastConfiguration) {
        this.lastConfiguration = configuration
        this.options.configured(configuration)
      }
    } catch (error) {
      this.fail(error)
    }
  }

  private apply({ persist, send, outcomes, learned, changed }: ParticipantEffects): void {
    this.persistence.add(persist)
    for (const { to, message } of send) {
      this.options.metrics.sent(message.kind)
      this.options.send(to, message)
    }
    for (const { token, outcome } of outcomes) this.settle(token, outcome)
    for (const { key, entry } of learned) this.tell(key, entry)
    if (changed !== undefined) this.changed?.(changed)
    this.scheduleTimer()
  }

  private tell(key: string, entry: Entry): void {
    // A mistake of a watcher is not the member's: it is thrown where nothing else is under way.
    try {
      this.watchers.tell(key, entry)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }

  /** Once for all steps of this turn of the event loop: the next deadline is looked for among all keys. */
  private scheduleTimer(): void {
    if (this.isTimerDue || this.isStopped) return
    this.isTimerDue = true
    setImmediate(() => {
      this.isTimerDue = false
      clearTimeout(this.timer)
      const deadlineMs = this.participant?.deadlineMs ?? this.firstDeadlineMs()
      if (this.isStopped || deadlineMs === Number.POSITIVE_INFINITY) return
      this.timer = setTimeout(() => this.timeout(), Math.max(1, Math.ceil(deadlineMs - performance.now())))
    })
  }

  private timeout(): void {
    if (this.participant === undefined) {
      const nowMs = performance.now()
      for (const [token, { deadlineMs }] of this.waiting) {
        if (deadlineMs <= nowMs) this.settle(token, NO_QUORUM)
      }
      this.scheduleTimer()
    } else {
      this.step((participant, nowMs) => participant.timeout(nowMs))
    }
  }

  private firstDeadlineMs(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { deadlineMs } of this.waiting.values()) first = Math.min(first, deadlineMs)
    return first
  }

  /** The member failed in the middle of a step: it cannot be asked what became of an operation. */
  private fail(error: unknown): void {
    if (this.isStopped) return
    this.isStopped = true
    this.persistence.stop()
    clearTimeout(this.timer)
    for (const token of [...this.waiting.keys()]) this.settle(token, { kind: 'unknown' })
    this.options.failed(error)
  }
}
