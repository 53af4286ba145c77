import {
  type ClockReading,
  type HolderState,
  LEASE_LIMITS,
  LeaseChallenger,
  LeaseHolder,
  type LeaseTerm,
  type WriteOperation,
} from '@skein/paxos'
import type { StrongEntry as WireEntry } from '@skein/protocol'
import { SkeinError } from '../errors.js'
import { Conflict, LeaseLost } from './errors.js'
import type { Patience } from './requests.js'
import type { Lease, LeaseOptions } from './types.js'
import { decodeEntry } from './values.js'
import { inTime } from './wait.js'
import type { Watcher } from './watches.js'
import type { WriteOrder, WriteOutcome } from './writer.js'

/** What leases need of the region. */
export interface LeaseDeps {
  write(order: WriteOrder, patience: Patience): Promise<WriteOutcome>
  /** Nobody will ask what became of it. */
  forget(outcome: WriteOutcome): void
  watch(key: string, watcher: Watcher): () => void
  errorOf(key: string, outcome: WriteOutcome): Error
  clock(): ClockReading
}

/** How often at least a holder looks at its clocks. */
const LOOK_MS = 1_000
/** What `release` may take. */
const RELEASE_MS = 5_000
/** The pause after a renewal that failed, as a part of the term. */
const RETRIES_PER_TERM = 20

/** The writer gives each write an id; what the pure lease would put there is not used. */
const ANY_ATTEMPT = { id: { client: '', sequence: 1 }, settled: 0 }

/** Waits until the key is free or its holder has fallen silent, and takes it. */
export async function takeLease(
  deps: LeaseDeps,
  key: string,
  { ttlMs, holder = '' }: LeaseOptions,
  patience: Patience,
): Promise<HeldLease> {
  if (!Number.isInteger(ttlMs) || ttlMs < 1 || ttlMs > LEASE_LIMITS.ttlMsMax) {
    throw new SkeinError(
      'bad-value',
      `a lease's term is 1 to ${LEASE_LIMITS.ttlMsMax} whole milliseconds, not ${ttlMs}; nothing was taken`,
    )
  }
  const watched = new WatchedLease(deps, key)
  try {
    for (;;) {
      const sentAt = deps.clock()
      const operation = watched.challenger.acquire(sentAt, { holder, ttlMs }, ANY_ATTEMPT)
      if (operation !== undefined) {
        const outcome = await deps.write(orderOf(key, operation), patience)
        if (outcome.kind === 'done') {
          const { version, fence } = outcome
          return new HeldLease(deps, key, { holder, ttlMs, sentAt, version, fence })
        }
        if (outcome.kind !== 'conflict') throw deps.errorOf(key, outcome)
        watched.observe(outcome.current)
      }
      await watched.mayTake(patience)
    }
  } finally {
    watched.end()
  }
}

/** Another's lease, as a challenger sees it change. */
class WatchedLease {
  readonly challenger = new LeaseChallenger()
  private last: WireEntry | undefined
  private stop: (() => void) | undefined
  private wake: () => void = () => {}
  private over: Error | undefined

  constructor(
    private readonly deps: LeaseDeps,
    private readonly key: string,
  ) {}

  observe(entry: WireEntry): void {
    this.challenger.observe(this.deps.clock(), entry)
    if (this.last === undefined || entry.version > this.last.version) this.last = entry
    this.wake()
  }

  /** Resolves when it may be taken, as far as is known. @throws Conflict at the deadline */
  async mayTake(patience: Patience): Promise<void> {
    this.stop ??= this.deps.watch(this.key, {
      onEntry: (entry) => this.observe(entry),
      onEnd: (refusal) => this.ended(refusal),
    })
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        this.wake = resolve
      })
      if (this.over !== undefined) throw this.over
      const state = this.challenger.state(this.deps.clock())
      if (state.kind === 'malformed') throw this.conflict('it holds something else than a lease')
      if (state.kind !== 'waiting') return
      const deadlineMs = Math.min(patience.deadlineMs, performance.now() + this.leftMs(state.untilMs))
      await inTime(changed, { ...patience, deadlineMs })
      if (performance.now() >= patience.deadlineMs) throw this.conflict(`"${state.holder}" holds it`)
    }
  }

  end(): void {
    this.stop?.()
  }

  private ended(refusal: Parameters<Watcher['onEnd']>[0]): void {
    this.over =
      refusal === undefined
        ? new SkeinError('left', `the space was left; the lease "${this.key}" was not taken`)
        : this.deps.errorOf(this.key, refusal)
    this.wake()
  }

  private leftMs(untilMs: number): number {
    return Math.max(0, untilMs - this.deps.clock().monotonicMs)
  }

  private conflict(what: string): Conflict {
    return new Conflict(this.key, decodeEntry(this.last!), what)
  }
}

/** A lease that renews itself, and says when it is lost. */
export class HeldLease implements Lease {
  private readonly holder: LeaseHolder
  private readonly lost = new AbortController()
  private readonly ttlMs: number
  private renewing: Promise<void> | undefined
  private notBeforeMs = 0
  private released: Promise<void> | undefined
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly deps: LeaseDeps,
    readonly key: string,
    term: LeaseTerm,
  ) {
    this.ttlMs = term.ttlMs
    this.holder = new LeaseHolder(term)
    this.look()
  }

  get fence(): number {
    return this.holder.fence
  }

  get signal(): AbortSignal {
    return this.lost.signal
  }

  get held(): boolean {
    // Also when it is only this space that ends: who acts looks at either.
    return this.check().kind === 'held' && !this.lost.signal.aborted
  }

  renew(): Promise<void> {
    this.renewing ??= this.renewNow().finally(() => {
      this.renewing = undefined
      this.look()
    })
    return this.renewing
  }

  release(): Promise<void> {
    this.released ??= this.releaseNow()
    return this.released
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().catch(() => {})
  }

  /** The space is left; whoever acts under the lease must stop. */
  end(reason: LeaseLost['reason']): void {
    clearTimeout(this.timer)
    if (!this.lost.signal.aborted) this.lost.abort(new LeaseLost(this.key, this.fence, reason))
  }

  private async renewNow(): Promise<void> {
    const sentAt = this.deps.clock()
    const state = this.check()
    if (state.kind === 'lost' || this.lost.signal.aborted) throw this.lost.signal.reason
    const order = orderOf(this.key, this.holder.renew(ANY_ATTEMPT))
    const withinMs = Math.min(state.expiresAtMs - sentAt.monotonicMs, this.ttlMs / 3)
    const patience = { deadlineMs: performance.now() + withinMs, signal: this.lost.signal }
    const outcome = await this.deps.write(order, patience)
    this.deps.forget(outcome)
    if (outcome.kind === 'done') this.holder.renewed(this.deps.clock(), sentAt, outcome.version)
    else if (outcome.kind === 'conflict') this.holder.taken()
    this.check()
    if (this.lost.signal.aborted) throw this.lost.signal.reason
    if (outcome.kind !== 'done') throw this.deps.errorOf(this.key, outcome)
  }

  private async releaseNow(): Promise<void> {
    const { reason } = this.lost.signal
    const order = orderOf(this.key, this.holder.release(ANY_ATTEMPT))
    this.end('released')
    if (reason instanceof LeaseLost && reason.reason === 'taken') return
    const patience = { deadlineMs: performance.now() + RELEASE_MS, signal: undefined }
    const outcome = await this.deps.write(order, patience)
    // A conflict: another has it, which is what this is for.
    if (outcome.kind !== 'done' && outcome.kind !== 'conflict') throw this.deps.errorOf(this.key, outcome)
  }

  private check(): HolderState {
    const state = this.holder.state(this.deps.clock())
    if (state.kind === 'lost') this.end(state.reason)
    return state
  }

  /** Renews it where that is due, and comes again. */
  private look(): void {
    clearTimeout(this.timer)
    const state = this.check()
    // A renewal that ends after all must not begin the next.
    if (state.kind === 'lost' || this.lost.signal.aborted) return
    const nowMs = this.deps.clock().monotonicMs
    const renewAtMs = Math.max(state.renewAtMs, this.notBeforeMs)
    if (this.renewing === undefined && nowMs >= renewAtMs) {
      this.notBeforeMs = nowMs + this.ttlMs / RETRIES_PER_TERM
      this.renew().catch(() => {})
    }
    const nextMs = this.renewing === undefined ? Math.min(renewAtMs, state.expiresAtMs) : state.expiresAtMs
    this.timer = setTimeout(() => this.look(), Math.min(Math.max(0, Math.ceil(nextMs - nowMs)), LOOK_MS))
  }
}

function orderOf(key: string, { condition, data, keepsFence }: WriteOperation): WriteOrder {
  return { key, condition: condition ?? { kind: 'none' }, data, keepsFence }
}
