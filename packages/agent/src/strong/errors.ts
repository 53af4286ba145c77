import type { LostReason } from '@skein/paxos'
import { SkeinError } from '../errors.js'
import type { UnavailableReason as RequestReason } from './request-table.js'
import type { OperationId, StrongEntry, StrongOptions } from './types.js'

/** The condition of a write did not hold. Nothing was applied; `current` is what was decided instead. */
export class Conflict extends SkeinError {
  override readonly name = 'Conflict'
  readonly applied = 'no'

  constructor(
    readonly key: string,
    readonly current: StrongEntry,
    what = 'the condition does not hold',
  ) {
    super(
      'conflict',
      `"${key}" was not changed: ${what}. It is at version ${current.version}, fence ${current.fence}. Decide anew on the current value.`,
    )
  }
}

/**
 * - `no-quorum`: no majority of the relays answered
 * - `busy`: too many operations wait, at the relay or here
 * - `no-relay`: no relay that offers a strong region was reached
 * - `no-answer`: the relay did not answer
 * - `offline`: the connections are down, or every relay refuses
 * - `given-up`: somebody resolved the operation before it was applied
 */
export type UnavailableReason = RequestReason | 'given-up'

/** It cannot be done now. Nothing was applied, and nothing will be. */
export class Unavailable extends SkeinError {
  override readonly name = 'Unavailable'
  readonly applied = 'no'

  constructor(
    readonly key: string,
    readonly reason: UnavailableReason,
  ) {
    super('unavailable', `nothing was done about "${key}": ${WHY[reason]}`)
  }
}

const WHY: Record<UnavailableReason, string> = {
  'no-quorum': 'no majority of the relays answered in time. Try again when they are back.',
  busy: 'too many operations wait. Try again later, with fewer at a time.',
  'no-relay': 'no relay with a strong region was reached in time. Try again when one is back.',
  'no-answer': 'the relay did not answer in time. Try again.',
  offline: 'this agent is offline. Try again after connect().',
  'given-up': 'the operation was resolved as not applied before it was. Do it anew.',
}

/**
 * A write may have been applied, or may still be. `resolve` settles it; until then show it as pending.
 */
export class Unknown extends SkeinError {
  override readonly name = 'Unknown'
  readonly applied = 'maybe'
  readonly #resolve: (options?: StrongOptions) => Promise<'applied' | 'not-applied'>

  constructor(
    readonly operation: OperationId,
    /** The relays remember too little by now: resolving cannot tell any more. Read the key instead. */
    readonly forgotten: boolean,
    resolve: (options?: StrongOptions) => Promise<'applied' | 'not-applied'>,
    options?: { cause?: unknown },
  ) {
    const advice = forgotten
      ? 'The relays do not remember it any more; read the key to see what is there'
      : 'resolve() settles it'
    super(
      'unknown-outcome',
      `a write of "${operation.key}" may have been applied, or may still be: there was no answer that tells. ${advice}.`,
      options,
    )
    this.#resolve = resolve
  }

  /** Settles whether it was applied. @throws Unknown where that cannot be told */
  resolve(options?: StrongOptions): Promise<'applied' | 'not-applied'> {
    return this.#resolve(options)
  }
}

/** A lease is over: stop acting under it. */
export class LeaseLost extends SkeinError {
  override readonly name = 'LeaseLost'

  constructor(
    readonly key: string,
    readonly fence: number,
    /** `left`: the space was left. */
    readonly reason: LostReason | 'left',
  ) {
    super(
      'lease-lost',
      `the lease "${key}" under fence ${fence} is over: ${LOST[reason]}. Another may act now; stop, and take it again if it is still needed.`,
    )
  }
}

const LOST: Record<LostReason | 'left', string> = {
  expired: 'its term ended before a renewal was known to be decided',
  'clock-jump': 'this device slept or its clock was changed',
  taken: 'another has taken it, or it was deleted',
  released: 'it was released',
  left: 'the space was left',
}

/** The key has none of the prefixes that are declared for the space. Nothing was done. */
export class NotStrong extends SkeinError {
  override readonly name = 'NotStrong'

  constructor(
    readonly key: string,
    readonly prefixes: readonly string[],
  ) {
    super(
      'not-strong',
      `"${key}" is not a strong key: ${prefixes.length === 0 ? 'no prefixes are declared' : `declared are ${prefixes.join(', ')}`}. Nothing was done. Declare its prefix in joinSpace, or use space.set.`,
    )
  }
}

/** Other prefixes are decided for this space than this agent declares. */
export class StrongMismatch extends SkeinError {
  override readonly name = 'StrongMismatch'

  constructor(
    readonly wanted: readonly string[],
    /** Undefined where the relay refused without telling yet. */
    readonly decided: readonly string[] | undefined,
  ) {
    super(
      'strong-mismatch',
      `this agent declares ${wanted.join(', ')} as strong, decided for the space ${decided === undefined ? 'are others' : `are ${decided.join(', ')}`}. Nothing was changed; decided prefixes stay. Join with those, or without the option.`,
    )
  }
}
