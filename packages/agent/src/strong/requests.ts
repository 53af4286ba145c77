import type { StrongAnswer } from '@skein/protocol'
import type { StrongLink } from './link.js'
import { type Asked, type RequestOutcome, RequestTable, type TableEffects } from './request-table.js'

export interface RequestResult {
  readonly outcome: RequestOutcome
  /** Whether an earlier attempt may have been applied, or may still be. */
  readonly exposed: boolean
}

/** Until when somebody waits. */
export interface Patience {
  /** On the monotonic clock. */
  readonly deadlineMs: number
  readonly signal: AbortSignal | undefined
}

/** Timers and promises around the pure table of requests. */
export class Requests {
  private readonly table: RequestTable
  private readonly waiting = new Map<number, (result: RequestResult) => void>()
  private tokens = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private timerAtMs = Number.POSITIVE_INFINITY

  constructor(private readonly link: StrongLink) {
    this.table = new RequestTable(() => link.nextNumber())
  }

  /**
   * Brings a request to its outcome, over however many connections.
   * @throws the signal's reason, where it aborts before anything can have been applied
   */
  request(asked: Asked, { deadlineMs, signal }: Patience): Promise<RequestResult> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const token = ++this.tokens
      const abort = () => {
        this.waiting.delete(token)
        if (this.table.cancel(token)) resolve({ outcome: { kind: 'unknown' }, exposed: true })
        else reject(signal?.reason)
        // Others may have waited for its place.
        this.run(this.table.timeout(performance.now()))
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.waiting.set(token, (result) => {
        signal?.removeEventListener('abort', abort)
        resolve(result)
      })
      const nowMs = performance.now()
      this.run(this.table.add(nowMs, token, asked, deadlineMs))
      if (this.link.isOffline) this.run(this.table.wentOffline())
    })
  }

  opened(): void {
    this.run(this.table.opened(performance.now()))
  }

  closed(): void {
    this.table.closed()
    this.arm()
  }

  wentOffline(): void {
    this.run(this.table.wentOffline())
  }

  answered(number: number, answer: StrongAnswer): void {
    this.run(this.table.answered(performance.now(), number, answer))
  }

  private run({ send, settled, silent }: TableEffects): void {
    for (const message of send) this.link.send(message)
    for (const { token, outcome, exposed } of settled) {
      const settle = this.waiting.get(token)
      this.waiting.delete(token)
      settle?.({ outcome, exposed })
    }
    this.arm()
    // Last: it may end the connection.
    if (silent) this.link.silent()
  }

  /** One timer, for whatever is due first. */
  private arm(): void {
    const { deadline } = this.table
    if (deadline === this.timerAtMs) return
    clearTimeout(this.timer)
    this.timerAtMs = deadline
    if (deadline === Number.POSITIVE_INFINITY) return
    // A longer one would fire at once; it comes early, and is armed again.
    const waitMs = Math.min(Math.max(0, Math.ceil(deadline - performance.now())), TIMER_MS_MAX)
    this.timer = setTimeout(() => {
      this.timerAtMs = Number.POSITIVE_INFINITY
      this.run(this.table.timeout(performance.now()))
    }, waitMs)
  }
}

/** What `setTimeout` can wait for. */
const TIMER_MS_MAX = 2 ** 31 - 1
