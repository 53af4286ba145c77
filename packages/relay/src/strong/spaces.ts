import type { Condition, Entry, Operation, Outcome } from '@skein/paxos'
import { checkStrongKey } from './check.js'
import { Declarations } from './declarations.js'
import { OwnOperations } from './own-operations.js'
import type { ExecuteOptions, StrongRegion } from './region.js'
import { type NamedOperation, StrongError } from './strong-error.js'

/** A write to a strong key. */
export interface StrongWrite {
  /** JSON as text; undefined deletes. */
  readonly data: string | undefined
  readonly condition: Condition | undefined
  /** What its client calls it, the same in every attempt; left out for an operation that is made once. */
  readonly operation?: NamedOperation
}

export type StrongWriteResult =
  /** `created`: whether there was no value before; undefined where that is not known. */
  | {
      readonly kind: 'done'
      readonly version: number
      readonly fence: number
      readonly created: boolean | undefined
    }
  /** Nothing changed. */
  | { readonly kind: 'conflict'; readonly current: Entry }
  /** It was resolved before as not applied. */
  | { readonly kind: 'aborted'; readonly current: Entry }
  /** This attempt was not applied; whether an earlier one was cannot be told any more. */
  | { readonly kind: 'forgotten'; readonly current: Entry }

export type StrongResolution = Exclude<StrongWriteResult, { readonly kind: 'conflict' }>

/** Attempts of an operation of this relay, each under an id of its own after one that was not applied. */
const OWN_ATTEMPTS_MAX = 8

/** The strong keys of all spaces, over one strong region. Rules: SPEC.md, G1 to G13. */
export class StrongSpaces {
  private readonly declarations: Declarations
  private readonly own: OwnOperations
  private readonly closers = new Set<() => void>()
  private closed = false

  /** @param defaults prefixes of strong keys that a space has whose agents declare nothing */
  constructor(
    private readonly region: StrongRegion,
    defaults: readonly string[] = [],
  ) {
    this.declarations = new Declarations(region, defaults)
    this.own = new OwnOperations(region.clientId)
  }

  /** Whether a key is strong, by what this relay knows now. */
  isStrong(space: string, key: string): boolean {
    return this.declarations.isStrong(space, key)
  }

  /** Whether this relay knows what was decided for a space, which then holds for ever. */
  isDecided(space: string): boolean {
    return this.declarations.isKnown(space)
  }

  /** Asks what was decided for a space, unless that is known or was asked for lately. */
  learn(space: string): void {
    this.declarations.learn(space)
  }

  /** The prefixes of a space's strong keys; undefined where none were declared yet. @throws StrongError */
  declaration(space: string, options: ExecuteOptions): Promise<readonly string[] | undefined> {
    return this.declarations.read(space, options)
  }

  /** The same; where none were declared those that this relay starts with are, if it has any. @throws StrongError */
  declarationOrDefault(space: string, options: ExecuteOptions): Promise<readonly string[]> {
    return this.declarations.readOrDecide(space, options)
  }

  /** Declares the prefixes, unless others were declared before. Returns those that hold. @throws StrongError */
  declare(space: string, prefixes: readonly string[], options: ExecuteOptions): Promise<readonly string[]> {
    return this.declarations.declare(space, prefixes, options)
  }

  /** What is decided now. @throws StrongError */
  async get(space: string, key: string, options: ExecuteOptions): Promise<Entry> {
    const outcome = await this.execute(space, key, { kind: 'read' }, options)
    if (outcome.kind === 'value') return outcome.current
    throw failure(outcome)
  }

  /** @throws StrongError */
  async write(
    space: string,
    key: string,
    write: StrongWrite,
    options: ExecuteOptions,
  ): Promise<StrongWriteResult> {
    const { data, condition, operation } = write
    if (operation === undefined) return this.writeOnce(space, key, write, options)
    const outcome = await this.execute(
      space,
      key,
      { kind: 'write', ...operation, settled: 0, condition, data, keepsFence: false },
      options,
    )
    return this.writeResult(space, key, write, outcome, operation)
  }

  /** Settles for ever whether an operation was applied. @throws StrongError */
  async resolve(
    space: string,
    key: string,
    operation: NamedOperation,
    options: ExecuteOptions,
  ): Promise<StrongResolution> {
    const outcome = await this.execute(space, key, { kind: 'resolve', ...operation }, options)
    switch (outcome.kind) {
      case 'done':
      case 'aborted':
      case 'forgotten':
        this.own.resolved(registerOf(space, key), operation.id)
        return outcome.kind === 'done' ? { ...outcome, created: undefined } : outcome
      default:
        throw failure(outcome, operation)
    }
  }

  /**
   * Brings an operation of a client to its outcome.
   * @throws StrongError `not-strong`, `bad-key`, `too-large`, and `unavailable` where the declaration could
   *   not be read
   */
  async execute(space: string, key: string, operation: Operation, options: ExecuteOptions): Promise<Outcome> {
    checkStrongKey(key)
    let { withinMs } = options
    if (!this.declarations.isEnsured(space, key)) {
      const startMs = performance.now()
      await this.declarations.ensure(space, key, options)
      withinMs = Math.max(1, withinMs - (performance.now() - startMs))
    }
    const register = registerOf(space, key)
    const outcome = await this.region.execute(register, operation, { ...options, withinMs })
    if ('current' in outcome) {
      const { version, value } = outcome.current
      this.own.learned(register, version, value !== undefined)
    }
    return outcome
  }

  /**
   * Calls back with each decided value that it comes to know, first with the one decided now.
   * @param onEnd the relay stops
   * @returns a function that ends it
   * @throws StrongError
   */
  async watch(
    space: string,
    key: string,
    onEntry: (entry: Entry) => void,
    onEnd: () => void,
    options: ExecuteOptions,
  ): Promise<() => void> {
    checkStrongKey(key)
    if (!this.declarations.isEnsured(space, key)) await this.declarations.ensure(space, key, options)
    if (this.closed) throw new StrongError('unavailable', 'the relay is stopping')
    const unwatch = this.region.watch(registerOf(space, key), onEntry)
    const end = () => {
      this.closers.delete(close)
      unwatch()
    }
    const close = () => {
      end()
      onEnd()
    }
    this.closers.add(close)
    return end
  }

  /** Ends all watches. */
  close(): void {
    this.closed = true
    for (const close of [...this.closers]) close()
  }

  /** An operation that nobody repeats: what was certainly not applied is tried again under another id. */
  private async writeOnce(
    space: string,
    key: string,
    write: StrongWrite,
    options: ExecuteOptions,
  ): Promise<StrongWriteResult> {
    const { data, condition } = write
    const register = registerOf(space, key)
    const endMs = performance.now() + options.withinMs
    for (let attempt = 1; attempt <= OWN_ATTEMPTS_MAX; attempt++) {
      const { id, settled } = this.own.begin(register)
      const since = this.own.known(register)?.version ?? 0
      let outcome: Outcome | undefined
      try {
        const withinMs = attempt === 1 ? options.withinMs : Math.max(1, endMs - performance.now())
        outcome = await this.execute(
          space,
          key,
          { kind: 'write', id, since, settled, condition, data, keepsFence: false },
          { ...options, withinMs },
        )
      } finally {
        this.own.ended(register, id, outcome?.kind === 'unknown')
      }
      // The register forgot clients after `since`, but not this one: the id is new.
      if (outcome.kind !== 'forgotten') return this.writeResult(space, key, write, outcome, { id, since })
    }
    throw new StrongError('unavailable', 'too many others write this key; nothing was applied')
  }

  private writeResult(
    space: string,
    key: string,
    { data, condition }: StrongWrite,
    outcome: Outcome,
    operation: NamedOperation,
  ): StrongWriteResult {
    switch (outcome.kind) {
      case 'done': {
        const { version } = outcome
        const register = registerOf(space, key)
        const known = this.own.known(register)
        let created: boolean | undefined
        if (version === 1 || condition?.kind === 'absent') created = true
        else if (known?.version === version - 1) created = !known.hasValue
        this.own.learned(register, version, data !== undefined)
        return { ...outcome, created }
      }
      case 'conflict':
      case 'aborted':
      case 'forgotten':
        return outcome
      default:
        throw failure(outcome, operation)
    }
  }
}

function registerOf(space: string, key: string): string {
  return `${space}\0${key}`
}

function failure(outcome: Outcome, operation?: NamedOperation): StrongError {
  if (outcome.kind === 'unavailable') {
    return outcome.reason === 'busy'
      ? new StrongError('unavailable', 'too many operations wait for this relay; nothing was applied')
      : new StrongError('unavailable', 'no quorum answered in time; nothing was applied')
  }
  if (outcome.kind === 'unknown') {
    const what = 'it may have been applied, or may still be: repeat it under the same id, or resolve it'
    return new StrongError('unknown', what, operation)
  }
  throw new Error(`a strong operation came to "${outcome.kind}"`)
}
