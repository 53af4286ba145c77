import type { StrongAnswer, StrongRequest, StrongRequestMessage } from '@skein/protocol'

type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never

/** What is asked of the strong region, in all its attempts. */
export type Asked = Without<Extract<StrongRequest, { kind: 'get' | 'write' | 'resolve' }>, 'deadlineMs'>

/**
 * Why something was definitely not done.
 * - `no-quorum`, `busy`: the relay says so
 * - `no-relay`: no relay that offers a strong region was reached before the deadline
 * - `no-answer`: the relay did not answer before the deadline
 * - `offline`: the connections are down
 */
export type UnavailableReason = 'no-quorum' | 'busy' | 'no-relay' | 'no-answer' | 'offline'

export type RequestOutcome =
  | Exclude<StrongAnswer, { kind: 'unavailable' | 'declared' }>
  | { readonly kind: 'unavailable'; readonly reason: UnavailableReason }

export interface Settled {
  readonly token: number
  readonly outcome: RequestOutcome
  /** Whether an earlier attempt may have been applied, or may still be. */
  readonly exposed: boolean
}

export interface TableEffects {
  readonly send: readonly StrongRequestMessage[]
  readonly settled: readonly Settled[]
  /** The relay did not answer in the time that it was given. */
  readonly silent?: boolean
}

/** Requests under way; more are refused as `busy`. */
export const REQUESTS_MAX = 10_000
/** Of them sent and not answered; more wait here, for a relay would refuse them as `busy`. */
export const IN_FLIGHT_MAX = 128
/** The pause before something is asked again that the relay could not do; doubled each time. */
const RETRY_MS = 100
const RETRY_MS_MAX = 1_000
/** The relay stops this much before the deadline, so that its answer is here in time. */
const ANSWER_MS = 250
/** Of a longer time the relay is given half, so that another can be asked if it does not answer. */
const UNDIVIDED_MS = 1_000
const ATTEMPT_MS_MAX = 10_000

interface Pending {
  readonly token: number
  readonly asked: Asked
  readonly deadlineMs: number
  /** Of the attempt that waits for its answer. */
  number: number | undefined
  exposed: boolean
  attempts: number
  /** When it is asked again, after an answer that settled nothing. */
  retryAtMs: number
  /** When an attempt without answer is one too long. */
  silentAtMs: number
}

/**
 * What waits for an answer of the strong region. Takes the time and what happened, and returns what to send
 * and what is settled. The same request is sent again over every new connection until its deadline; where
 * an attempt may have been applied, no later failure makes it `unavailable`. Rules: SPEC.md, T1 to T6.
 */
export class RequestTable {
  private readonly pending = new Map<number, Pending>()
  private readonly sent = new Map<number, Pending>()
  /** What waits until others are answered, in order. */
  private readonly held = new Set<Pending>()
  private isOpen = false

  /** @param nextNumber gives each request a number of its own */
  constructor(private readonly nextNumber: () => number) {}

  /** When `timeout` wants to be called; infinity where nothing waits. */
  get deadline(): number {
    let deadline = Number.POSITIVE_INFINITY
    for (const { deadlineMs, retryAtMs, silentAtMs, number } of this.pending.values()) {
      const dueMs = number !== undefined ? silentAtMs : this.isOpen ? retryAtMs : deadlineMs
      const nextMs = Math.min(deadlineMs, dueMs)
      if (nextMs < deadline) deadline = nextMs
    }
    return deadline
  }

  /** @param token the caller's name for it */
  add(nowMs: number, token: number, asked: Asked, deadlineMs: number): TableEffects {
    if (this.pending.size >= REQUESTS_MAX) {
      const outcome = { kind: 'unavailable', reason: 'busy' } as const
      return { ...NOTHING, settled: [{ token, outcome, exposed: false }] }
    }
    const request: Pending = {
      token,
      asked,
      deadlineMs,
      number: undefined,
      exposed: false,
      attempts: 0,
      retryAtMs: nowMs,
      silentAtMs: Number.POSITIVE_INFINITY,
    }
    this.pending.set(token, request)
    return this.isOpen ? { ...NOTHING, send: this.attempt(nowMs, request) } : NOTHING
  }

  /** A relay takes requests. */
  opened(nowMs: number): TableEffects {
    this.isOpen = true
    for (const request of this.pending.values()) request.retryAtMs = nowMs
    return this.timeout(nowMs)
  }

  /** It does not any more; what it was asked may have been done. */
  closed(): void {
    this.isOpen = false
    this.sent.clear()
    this.held.clear()
    for (const request of this.pending.values()) this.unanswered(request)
  }

  answered(nowMs: number, number: number, answer: StrongAnswer): TableEffects {
    const request = this.sent.get(number)
    // Of something that nobody waits for any more.
    if (request === undefined || answer.kind === 'declared') return NOTHING
    this.sent.delete(number)
    request.number = undefined
    if (answer.kind !== 'unavailable' && answer.kind !== 'unknown') {
      const settled = [this.settle(request, answer)]
      return { send: this.release(nowMs), settled }
    }
    if (answer.kind === 'unknown') request.exposed ||= changes(request.asked)
    const pauseMs = Math.min(RETRY_MS * 2 ** (request.attempts - 1), RETRY_MS_MAX)
    request.retryAtMs = nowMs + pauseMs
    const send = this.release(nowMs)
    if (request.retryAtMs < request.deadlineMs - ANSWER_MS) return { send, settled: [] }
    const reason = answer.kind === 'unavailable' ? answer.reason : 'no-answer'
    return { send, settled: [this.giveUp(request, reason)] }
  }

  /** Nobody waits for it any more. Returns whether it may have been applied, or may still be. */
  cancel(token: number): boolean {
    const request = this.pending.get(token)
    return request === undefined ? false : this.giveUp(request, 'no-answer').exposed
  }

  /** Nothing can be asked until further notice. */
  wentOffline(): TableEffects {
    this.closed()
    const settled = [...this.pending.values()].map((request) => this.giveUp(request, 'offline'))
    return { ...NOTHING, settled }
  }

  timeout(nowMs: number): TableEffects {
    const send: StrongRequestMessage[] = []
    const settled: Settled[] = []
    let silent = false
    for (const request of [...this.pending.values()]) {
      if (nowMs >= request.deadlineMs) {
        settled.push(this.giveUp(request, this.isOpen ? 'no-answer' : 'no-relay'))
      } else if (this.isOpen && request.number === undefined && nowMs >= request.retryAtMs) {
        send.push(...this.attempt(nowMs, request))
      } else if (request.number !== undefined && nowMs >= request.silentAtMs) {
        request.silentAtMs = Number.POSITIVE_INFINITY
        silent = true
      }
    }
    send.push(...this.release(nowMs))
    return { send, settled, silent }
  }

  private release(nowMs: number): StrongRequestMessage[] {
    const send: StrongRequestMessage[] = []
    for (const request of this.held) {
      if (this.sent.size >= IN_FLIGHT_MAX) break
      this.held.delete(request)
      send.push(...this.attempt(nowMs, request))
    }
    return send
  }

  private attempt(nowMs: number, request: Pending): StrongRequestMessage[] {
    if (this.sent.size >= IN_FLIGHT_MAX) {
      this.held.add(request)
      request.retryAtMs = Number.POSITIVE_INFINITY
      return []
    }
    const number = this.nextNumber()
    request.number = number
    request.attempts++
    this.sent.set(number, request)
    const deadlineMs = forRelay(request.deadlineMs - nowMs)
    request.silentAtMs = nowMs + deadlineMs + ANSWER_MS
    return [{ type: 'strong-request', number, request: { ...request.asked, deadlineMs } }]
  }

  private giveUp(request: Pending, reason: UnavailableReason): Settled {
    this.unanswered(request)
    return this.settle(request, request.exposed ? { kind: 'unknown' } : { kind: 'unavailable', reason })
  }

  private settle(request: Pending, outcome: RequestOutcome): Settled {
    this.pending.delete(request.token)
    this.held.delete(request)
    return { token: request.token, outcome, exposed: request.exposed }
  }

  private unanswered(request: Pending): void {
    if (request.number === undefined) return
    this.sent.delete(request.number)
    request.number = undefined
    request.exposed ||= changes(request.asked)
  }
}

const NOTHING: TableEffects = { send: [], settled: [] }

function changes({ kind }: Asked): boolean {
  return kind !== 'get'
}

/** How long the relay may take, of what is left. */
function forRelay(leftMs: number): number {
  if (leftMs > UNDIVIDED_MS)
    return Math.floor(Math.min(Math.max(leftMs / 2, UNDIVIDED_MS - ANSWER_MS), ATTEMPT_MS_MAX))
  return Math.max(1, Math.floor(leftMs - Math.min(ANSWER_MS, leftMs / 5)))
}
