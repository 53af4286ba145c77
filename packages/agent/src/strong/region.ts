import type { ClockReading } from '@skein/paxos'
import type { StrongAnswer, StrongRequestMessage } from '@skein/protocol'
import type { StrongMessage } from '@skein/sync'
import { SkeinError } from '../errors.js'
import type { Json } from '../types.js'
import { Declaration } from './declaration.js'
import { Conflict, NotStrong, StrongMismatch, Unavailable, Unknown } from './errors.js'
import { KeyQueue } from './key-queue.js'
import { KnownValues } from './known-values.js'
import { Latest } from './latest.js'
import { type HeldLease, type LeaseDeps, takeLease } from './lease-keeper.js'
import type { StrongLink } from './link.js'
import { checkStrongKey } from './prefixes.js'
import { type Patience, Requests } from './requests.js'
import type {
  Lease,
  LeaseOptions,
  OperationId,
  StaleEntry,
  StrongCondition,
  StrongEntry,
  StrongOptions,
  StrongRegion,
  Written,
} from './types.js'
import { decodeEntry, encodeCondition, encodeValue } from './values.js'
import { inTime, pause } from './wait.js'
import { Watches } from './watches.js'
import { type WriteOrder, type WriteOutcome, Writer } from './writer.js'

/** For how long an operation is tried, where nobody says. */
export const DEADLINE_MS = 5_000
/** What leaving waits for leases to be released. */
const RELEASE_ON_LEAVE_MS_MAX = 1_000
/** The longest pause between two tries of `update`, drawn at random so that two agents part. */
const UPDATE_PAUSE_MS_MAX = 50

/** What the region needs of its space. */
export interface RegionHost {
  readonly isOffline: boolean
  send(message: StrongRequestMessage): void
  /** The relay does not answer. */
  silent(): void
  /** The relays have decided these prefixes. */
  decided(prefixes: readonly string[]): void
  /** `mismatch` may be different. */
  changed(): void
  /** @throws SkeinError `left` */
  mustBeHere(): void
}

/** The strong region as one agent sees it, over whichever relay it is connected to. */
export class AgentStrongRegion implements StrongRegion {
  private readonly known = new KnownValues()
  private readonly declaration: Declaration
  private readonly requests: Requests
  private readonly writer: Writer
  private readonly watches: Watches
  private readonly updates = new KeyQueue()
  private readonly leases = new Set<HeldLease>()
  private numbers = 0
  /** The connection that takes requests. */
  private connection: number | undefined
  private isReady = false
  private wasOffline = false

  /**
   * @param wanted the prefixes that this agent declares
   * @param decided those that it knows to be decided; empty where it knows of none
   */
  constructor(
    private readonly host: RegionHost,
    wanted: readonly string[] | undefined,
    decided: readonly string[],
  ) {
    const link: StrongLink = {
      get isOffline() {
        return host.isOffline
      },
      nextNumber: () => ++this.numbers,
      send: (message) => host.send(message),
      silent: () => host.silent(),
    }
    this.declaration = new Declaration(link, wanted, decided, {
      ready: () => this.ready(),
      decided: (prefixes) => host.decided(prefixes),
      changed: () => host.changed(),
    })
    this.requests = new Requests(link)
    this.writer = new Writer(this.requests, this.known)
    this.watches = new Watches(link)
  }

  get prefixes(): readonly string[] {
    return this.declaration.prefixes
  }

  get mismatch(): SkeinError | undefined {
    return this.declaration.mismatch
  }

  isStrong(key: string): boolean {
    return this.declaration.isStrong(key)
  }

  async get<T extends Json = Json>(key: string, options: StrongOptions = {}): Promise<StrongEntry<T>> {
    this.check(key)
    const { outcome } = await this.requests.request({ kind: 'get', key }, patienceOf(options))
    if (outcome.kind === 'value') {
      this.known.learn(key, outcome.current)
      return decodeEntry<T>(outcome.current)
    }
    if (outcome.kind === 'refused') throw this.refusal(key, outcome)
    throw new Unavailable(key, outcome.kind === 'unavailable' ? outcome.reason : 'no-answer')
  }

  set(key: string, value: Json, options: StrongOptions = {}): Promise<Written> {
    return this.write(key, () => ({ condition: { kind: 'none' }, data: encodeValue(value) }), options)
  }

  delete(
    key: string,
    options: StrongOptions & { readonly condition?: StrongCondition } = {},
  ): Promise<Written> {
    const { condition } = options
    const change = () => ({
      condition: condition === undefined ? ({ kind: 'none' } as const) : encodeCondition(condition),
      data: undefined,
    })
    return this.write(key, change, options)
  }

  compareAndSet(
    key: string,
    condition: StrongCondition,
    value: Json,
    options: StrongOptions = {},
  ): Promise<Written> {
    const change = () => ({ condition: encodeCondition(condition), data: encodeValue(value) })
    return this.write(key, change, options)
  }

  async update<T extends Json = Json>(
    key: string,
    compute: (value: T | undefined, entry: StrongEntry<T>) => T | Promise<T>,
    options: StrongOptions = {},
  ): Promise<StrongEntry<T> & { readonly value: T }> {
    this.check(key)
    const patience = patienceOf(options)
    let isTurn = true
    // Those of one agent would only be in each other's way.
    const leave = await this.updates.enter(key, async (turn) => {
      isTurn = await inTime(turn, patience)
    })
    try {
      if (!isTurn) throw new Unavailable(key, 'busy')
      return await this.updateInTurn(key, compute, patience)
    } finally {
      leave()
    }
  }

  async lease(key: string, options: LeaseOptions): Promise<Lease> {
    this.check(key)
    const holder = options.holder ?? this.writer.clientId
    const lease = await takeLease(this.leaseDeps, key, { ...options, holder }, patienceOf(options))
    this.leases.add(lease)
    lease.signal.addEventListener('abort', () => this.leases.delete(lease))
    return lease
  }

  watch<T extends Json = Json>(
    key: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncIterable<StrongEntry<T>> {
    return { [Symbol.asyncIterator]: () => this.startWatching<T>(key, signal) }
  }

  peek<T extends Json = Json>(key: string): StaleEntry<T> | undefined {
    const known = this.known.get(key)
    return known === undefined ? undefined : { stale: true, atMs: known.atMs, ...decodeEntry<T>(known.entry) }
  }

  /** Those that are known, and there. */
  knownEntries(prefix: string): [key: string, value: Json][] {
    const entries: [string, Json][] = []
    for (const key of this.known.keys()) {
      if (!key.startsWith(prefix)) continue
      const value = this.peek(key)?.value
      if (value !== undefined) entries.push([key, value])
    }
    return entries
  }

  async resolve(operation: OperationId, options: StrongOptions = {}): Promise<'applied' | 'not-applied'> {
    this.check(operation.key)
    const applied = await this.writer.resolve(operation, patienceOf(options))
    if (applied === undefined || applied === 'forgotten')
      throw this.unknown(operation, applied === 'forgotten')
    return applied ? 'applied' : 'not-applied'
  }

  /**
   * The connection may be another one.
   * @param connection a number of its own for each that takes requests
   */
  connectionChanged(connection: number | undefined): void {
    if (connection !== this.connection) {
      if (this.connection !== undefined) this.closed()
      this.connection = connection
      if (connection !== undefined) {
        this.declaration.opened()
        // Otherwise requests could overtake the decision, and be refused.
        if (this.declaration.isDecided) this.ready()
      }
    }
    const { isOffline } = this.host
    if (isOffline && !this.wasOffline) this.requests.wentOffline()
    this.wasOffline = isOffline
  }

  /** The relay refused a write of the document: perhaps one to a key that is strong by now. */
  writeRejected(): void {
    this.declaration.refresh()
  }

  received(message: StrongMessage): void {
    if (message.type === 'strong-event') {
      this.known.learn(message.key, message.entry)
      this.watches.event(message.key, message.entry)
      return
    }
    const { number, answer } = message
    if (this.declaration.answered(number, answer) || this.watches.answered(number, answer)) return
    this.requests.answered(number, answer)
  }

  /** Before the connection goes: others need not wait for the end of the leases. */
  async releaseLeases(): Promise<void> {
    const leases = [...this.leases]
    for (const lease of leases) lease.end('left')
    if (leases.length === 0 || this.connection === undefined) return
    const released = Promise.allSettled(leases.map((lease) => lease.release()))
    await inTime(released, { deadlineMs: performance.now() + RELEASE_ON_LEAVE_MS_MAX, signal: undefined })
  }

  end(): void {
    this.watches.end()
  }

  private ready(): void {
    if (this.isReady || this.connection === undefined) return
    this.isReady = true
    this.requests.opened()
    this.watches.opened()
  }

  private closed(): void {
    this.isReady = false
    this.declaration.closed()
    this.requests.closed()
    this.watches.closed()
  }

  private async write(
    key: string,
    change: () => Pick<WriteOrder, 'condition' | 'data'>,
    options: StrongOptions,
  ): Promise<Written> {
    this.check(key)
    const outcome = await this.writer.write({ key, keepsFence: false, ...change() }, patienceOf(options))
    if (outcome.kind !== 'done') throw this.errorOf(key, outcome, options.signal)
    return { version: outcome.version, fence: outcome.fence }
  }

  private async updateInTurn<T extends Json>(
    key: string,
    compute: (value: T | undefined, entry: StrongEntry<T>) => T | Promise<T>,
    { deadlineMs, signal }: Patience,
  ): Promise<StrongEntry<T> & { readonly value: T }> {
    const left = () => ({
      deadlineMs: Math.max(1, deadlineMs - performance.now()),
      ...(signal === undefined ? {} : { signal }),
    })
    let entry = await this.get<T>(key, left())
    let conflict: Conflict | undefined
    let tryMs = 0
    for (;;) {
      const value = await compute(entry.value, entry)
      const begunMs = performance.now()
      // A try without time for its answer would make an unknown outcome of a conflict.
      if (conflict !== undefined && begunMs + 2 * tryMs >= deadlineMs) throw conflict
      try {
        const written = await this.compareAndSet(key, { ifVersion: entry.version }, value, left())
        return { value, ...written }
      } catch (error) {
        if (!(error instanceof Conflict)) throw error
        conflict = error
        entry = error.current as StrongEntry<T>
      }
      tryMs = performance.now() - begunMs
      await pause(Math.random() * UPDATE_PAUSE_MS_MAX, signal)
    }
  }

  private startWatching<T extends Json>(
    key: string,
    signal: AbortSignal | undefined,
  ): AsyncIterator<StrongEntry<T>, undefined> {
    this.check(key)
    const finish = () => {
      stop()
      signal?.removeEventListener('abort', abort)
    }
    const latest: Latest<StrongEntry> = new Latest(finish)
    const abort = () => {
      finish()
      latest.end()
    }
    const stop = this.watches.add(key, {
      onEntry: (entry) => latest.push(decodeEntry(entry)),
      onEnd: (refusal) => latest.end(refusal === undefined ? {} : { error: this.refusal(key, refusal) }),
    })
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
    return latest as unknown as Latest<StrongEntry<T>>
  }

  private readonly leaseDeps: LeaseDeps = {
    write: (order, patience) => this.writer.write(order, patience),
    forget: (outcome) => this.writer.forget(outcome),
    watch: (key, watcher) => this.watches.add(key, watcher),
    errorOf: (key, outcome) => this.errorOf(key, outcome),
    clock: readClock,
  }

  /** Nothing can be asked about this key. */
  private check(key: string): void {
    this.host.mustBeHere()
    checkStrongKey(key)
    const refusal = this.declaration.refusal(key)
    if (refusal !== undefined) throw refusal
  }

  private errorOf(key: string, outcome: WriteOutcome, signal?: AbortSignal): Error {
    switch (outcome.kind) {
      case 'conflict':
        return new Conflict(key, decodeEntry(outcome.current))
      case 'unknown':
        return this.unknown(outcome.operation, outcome.forgotten, signal?.aborted ? signal.reason : undefined)
      case 'unavailable':
        return new Unavailable(key, outcome.reason)
      case 'aborted':
        return new Unavailable(key, 'given-up')
      case 'refused':
        return this.refusal(key, outcome)
      case 'done':
        throw new Error('what was done is no error')
    }
  }

  private unknown(operation: OperationId, forgotten: boolean, cause?: unknown): Unknown {
    const resolve = (options?: StrongOptions) => this.resolve(operation, options)
    return new Unknown(operation, forgotten, resolve, cause === undefined ? {} : { cause })
  }

  private refusal(key: string, { code, message }: StrongAnswer & { kind: 'refused' }): SkeinError {
    switch (code) {
      case 'not-strong':
        return new NotStrong(key, this.prefixes)
      case 'mismatch':
        return this.mismatch ?? new StrongMismatch(this.prefixes, undefined)
      case 'too-large':
      case 'malformed':
        return new SkeinError('bad-value', `the relay refused the request: ${message}. Nothing was done.`)
    }
  }
}

function patienceOf({ deadlineMs = DEADLINE_MS, signal }: StrongOptions): Patience {
  if (!(deadlineMs > 0)) {
    throw new SkeinError(
      'bad-value',
      `a deadline is a number of milliseconds, not ${deadlineMs}; nothing was done`,
    )
  }
  return { deadlineMs: performance.now() + deadlineMs, signal }
}

function readClock(): ClockReading {
  return { monotonicMs: performance.now(), wallMs: Date.now() }
}
