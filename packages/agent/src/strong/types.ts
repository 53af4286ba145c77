import type { Json } from '../types.js'
import type { LeaseLost, Unknown } from './errors.js'

/** What is decided for a key. */
export interface StrongEntry<T extends Json = Json> {
  /** Undefined where it was deleted, or never written. */
  readonly value: T | undefined
  /** How often the key was changed; 0 where it never was. Rises with every change, through deletions too. */
  readonly version: number
  /** The fencing token: it rises with every write but a lease's renewal. A resource refuses lower ones. */
  readonly fence: number
}

/** The last that this agent heard of a key; others may have changed it since. */
export interface StaleEntry<T extends Json = Json> extends StrongEntry<T> {
  readonly stale: true
  /** When it was heard of, in milliseconds of `Date.now()`. */
  readonly atMs: number
}

/** What a write made of its key. */
export interface Written {
  readonly version: number
  readonly fence: number
}

/** Names one write, so that its outcome can be asked for: also later, and by another agent. Plain data. */
export interface OperationId {
  readonly key: string
  readonly client: string
  readonly sequence: number
  /** A version at which it was certainly not applied. */
  readonly since: number
}

/** What must hold for a write to be applied. */
export type StrongCondition =
  | { readonly ifVersion: number }
  | { readonly ifFence: number }
  | { readonly ifAbsent: true }
  | { readonly ifPresent: true }

export interface StrongOptions {
  /** For how long to try, in milliseconds. Default: 5,000. */
  readonly deadlineMs?: number
  /**
   * Ends the waiting. Where nothing can have been applied the signal's reason is thrown, otherwise
   * {@link Unknown}.
   */
  readonly signal?: AbortSignal
}

export interface LeaseOptions extends StrongOptions {
  /** How long others wait for a holder that is not heard of any more, in whole milliseconds. */
  readonly ttlMs: number
  /** What others see of the holder. Default: an id of this run of the agent. */
  readonly holder?: string
}

/**
 * Who has it may act, until `signal` aborts. That can be late, if this process was stopped meanwhile; so
 * what is acted upon should be given the fence, and refuse one below the highest that it has seen.
 */
export interface Lease {
  readonly key: string
  /** Higher than that of every holder before. */
  readonly fence: number
  /** Whether it is held at this very moment, by this device's clocks. */
  readonly held: boolean
  /** Aborts with {@link LeaseLost} when it is lost or released. */
  readonly signal: AbortSignal
  /**
   * Renews it now. It renews itself after each third of its term anyway.
   * @throws LeaseLost, Unavailable, Unknown
   */
  renew(): Promise<void>
  /**
   * Gives it up, so that others need not wait for the end of its term.
   * @throws Unavailable, Unknown where that could not be told to the others; they wait, then
   */
  release(): Promise<void>
  /** As `release`, but never throws: `await using lease = await space.strong.lease(...)`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Linearizable keys: each is a register that the relays of a cluster decide together. A write is applied
 * entirely or not at all, once, and everybody reads what the last one left. Without a majority of the
 * relays nothing can be read or written, and it is said so. Which keys are strong is declared by prefix.
 */
export interface StrongRegion {
  /** The prefixes of strong keys: what the relays have decided, or else what this agent wants decided. */
  readonly prefixes: readonly string[]

  /**
   * What is decided now.
   * @example
   * const { value, version } = await space.strong.get<string>('lock/front')
   * @throws Unavailable, NotStrong, StrongMismatch
   */
  get<T extends Json = Json>(key: string, options?: StrongOptions): Promise<StrongEntry<T>>

  /**
   * Sets a key, whatever is there.
   * @param value JSON, at most 64 KiB
   * @example
   * const { fence } = await space.strong.set('lock/front', 'locked', { deadlineMs: 2_000 })
   * @throws Unavailable, Unknown, NotStrong, StrongMismatch; `bad-value`, `bad-key`
   */
  set(key: string, value: Json, options?: StrongOptions): Promise<Written>

  /**
   * Deletes a key; its version and fence go on from where they are.
   * @example
   * await space.strong.delete('alarm/test', { condition: { ifVersion: 4 } })
   * @throws Conflict where the condition does not hold, otherwise as `set`
   */
  delete(key: string, options?: StrongOptions & { readonly condition?: StrongCondition }): Promise<Written>

  /**
   * Sets a key if the condition holds.
   * @example
   * const { version } = await space.strong.get('lock/front')
   * await space.strong.compareAndSet('lock/front', { ifVersion: version }, 'unlocked')
   * @throws Conflict where the condition does not hold; `current` tells what is there. Otherwise as `set`
   */
  compareAndSet(
    key: string,
    condition: StrongCondition,
    value: Json,
    options?: StrongOptions,
  ): Promise<Written>

  /**
   * Reads, computes, and sets what was computed if nobody was faster; otherwise again, until the deadline.
   * The function may be called several times, and should do nothing but compute.
   * @example
   * const { value } = await space.strong.update<number>('counter/visits', (n) => (n ?? 0) + 1)
   * @throws Conflict where others were faster up to the deadline, what the function throws; otherwise as `set`
   */
  update<T extends Json = Json>(
    key: string,
    compute: (value: T | undefined, entry: StrongEntry<T>) => T | Promise<T>,
    options?: StrongOptions,
  ): Promise<StrongEntry<T> & { readonly value: T }>

  /**
   * Becomes the only holder of a key; waits for another holder to release it or to fall silent for its term.
   * @example
   * await using lease = await space.strong.lease('task/42/owner', { ttlMs: 10_000, deadlineMs: 60_000 })
   * await fetch(boiler, { method: 'POST', body: JSON.stringify({ fence: lease.fence }), signal: lease.signal })
   * @throws Conflict where another holds it at the deadline, or where the key holds something else than a
   *   lease; Unavailable, Unknown, NotStrong, StrongMismatch; `bad-value` for a term that cannot be used
   */
  lease(key: string, options: LeaseOptions): Promise<Lease>

  /**
   * The values of a key as they are decided, the present one first. Versions rise; of values that come
   * faster than they are taken, the newest is told. Ends when the signal aborts or the space is left, and goes
   * on over losses of the connection.
   * @example
   * for await (const { value } of space.strong.watch<string>('lock/front', { signal })) show(value)
   * @throws NotStrong, StrongMismatch
   */
  watch<T extends Json = Json>(
    key: string,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<StrongEntry<T>>

  /**
   * The last that was heard of a key, without asking anybody; undefined where nothing was.
   * @example
   * const last = space.strong.peek<string>('lock/front')
   * if (last) show(`${last.value}, ${Date.now() - last.atMs} ms ago`)
   */
  peek<T extends Json = Json>(key: string): StaleEntry<T> | undefined

  /**
   * Settles for ever whether a write was applied: if it was not by now, it never will be.
   * @example
   * try { await space.strong.set('lock/front', 'locked') } catch (error) {
   *   if (error instanceof Unknown) showPending(await space.strong.resolve(error.operation))
   * }
   * @throws Unknown where that cannot be told now, or no more; `forgotten` of the error tells
   */
  resolve(operation: OperationId, options?: StrongOptions): Promise<'applied' | 'not-applied'>
}
