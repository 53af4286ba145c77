import type {
  Acceptor,
  AcceptorEffects,
  AcceptorRecord,
  AcceptorWrite,
  Configuration,
  Operation,
  Outcome,
  PeerMessage,
  Proposer,
  ProposerEffects,
  Request,
} from '@skein/paxos'
import { EMPTY_REGISTER, ZERO_BALLOT } from '@skein/paxos'
import type { PaxosModule } from '../paxos-module.js'
import { fingerprint } from './fingerprint.js'
import type { Behaviour } from './machine.js'

export const KEY = 'k'

export type AcceptorInput =
  | { readonly kind: 'request'; readonly from: string; readonly request: Request }
  | { readonly kind: 'flush' | 'crash' }

export type ProposerInput =
  | { readonly kind: 'reply'; readonly from: string; readonly reply: PeerMessage }
  | { readonly kind: 'submit'; readonly operation: Operation }
  | { readonly kind: 'timeout' | 'restart' }

export type Output =
  | { readonly kind: 'send'; readonly to: string; readonly message: PeerMessage }
  | { readonly kind: 'outcome'; readonly outcome: Outcome }

/** An acceptor and its disk. With a slow disk, flushes are steps of their own and a crash may come before. */
export class AcceptorBehaviour implements Behaviour<AcceptorInput, Output> {
  private readonly records = new Map<string, AcceptorRecord>()
  private pending: AcceptorWrite[] = []
  private acceptor: Acceptor
  private crashes = 0

  constructor(
    private readonly paxos: PaxosModule,
    private readonly configuration: Configuration,
    private readonly isSlow: boolean,
  ) {
    this.acceptor = this.start()
  }

  step(input: AcceptorInput): readonly Output[] {
    switch (input.kind) {
      case 'request': {
        const outputs = this.take(this.acceptor.receive(input.from, input.request))
        return this.isSlow ? outputs : [...outputs, ...this.flush()]
      }
      case 'flush':
        return this.flush()
      case 'crash':
        if (this.crashes > 0) return []
        this.crashes++
        this.pending = []
        this.acceptor = this.start()
        return []
    }
  }

  fingerprint(): string {
    const numbers = new Set(['number', 'lastNumber', 'persistedNumber', 'installNumber', 'store'])
    return fingerprint(
      [[...this.records], this.crashes, this.isSlow ? [this.pending, this.acceptor] : 0],
      numbers,
    )
  }

  private start(): Acceptor {
    const { records } = this
    return new this.paxos.Acceptor(this.configuration, {
      get: (key) => records.get(key),
      keys: () => [...records.keys()],
    })
  }

  private flush(): readonly Output[] {
    const last = this.pending.at(-1)
    if (last === undefined) return []
    for (const write of this.pending) if (write.kind === 'record') this.records.set(write.key, write.record)
    this.pending = []
    return this.take(this.acceptor.persisted(last.number))
  }

  private take({ persist, replies }: AcceptorEffects): Output[] {
    this.pending.push(...persist)
    return replies.map(({ to, reply }) => ({ kind: 'send', to, message: reply }))
  }
}

/** A proposer away from all acceptors. Its clock stands still but for the timeouts. */
export class ProposerBehaviour implements Behaviour<ProposerInput, Output> {
  private proposer: Proposer
  private nowMs = 0
  private incarnation = 1

  constructor(
    private readonly paxos: PaxosModule,
    private readonly id: string,
    private readonly configuration: Configuration,
    private readonly limits: { readonly timeouts: number; readonly restarts: number },
  ) {
    this.proposer = this.start()
  }

  step(input: ProposerInput): readonly Output[] {
    switch (input.kind) {
      case 'submit':
        return this.take(
          this.proposer.submit(this.nowMs, {
            token: 0,
            key: KEY,
            operation: input.operation,
            deadlineMs: Number.POSITIVE_INFINITY,
          }),
        )
      case 'reply': {
        const { reply } = input
        if (
          reply.kind !== 'promised' &&
          reply.kind !== 'accepted' &&
          reply.kind !== 'refused' &&
          reply.kind !== 'current'
        )
          return []
        return this.take(this.proposer.receive(this.nowMs, input.from, reply))
      }
      case 'timeout':
        if (
          this.proposer.deadlineMs === Number.POSITIVE_INFINITY ||
          this.nowMs >= this.limits.timeouts * STEP_MS
        )
          return []
        this.nowMs += STEP_MS
        return this.take(this.proposer.timeout(this.nowMs))
      case 'restart':
        if (this.incarnation > this.limits.restarts) return []
        this.incarnation++
        this.proposer = this.start()
        return []
    }
  }

  fingerprint(): string {
    return fingerprint(
      [this.nowMs, this.incarnation, this.proposer],
      new Set(['context', 'options', 'current']),
    )
  }

  private start(): Proposer {
    const { id, incarnation, configuration } = this
    const known = () => ({ accepted: ZERO_BALLOT, register: EMPTY_REGISTER })
    return new this.paxos.Proposer({ id, incarnation, configuration, known })
  }

  private take({ send, outcomes }: ProposerEffects): Output[] {
    return [
      ...send
        .filter(({ message }) => message.kind !== 'commit')
        .map(({ to, message }) => ({ kind: 'send', to, message }) as const),
      ...outcomes.map(({ outcome }) => ({ kind: 'outcome', outcome }) as const),
    ]
  }
}

/** Longer than any attempt of a proposer. */
const STEP_MS = 10_000
