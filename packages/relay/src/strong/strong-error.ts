import type { OperationId } from '@skein/paxos'
import { LIMITS } from '@skein/protocol'

/**
 * - `not-strong`: the key is not declared strong in its space
 * - `bad-key`, `bad-value`, `bad-declaration`: not what the strong region takes
 * - `too-large`: over a limit of key or value
 * - `unavailable`: no quorum, or too much to do; nothing was applied
 * - `unknown`: it may have been applied, or may still be
 */
export type StrongErrorCode =
  | 'not-strong'
  | 'bad-key'
  | 'bad-value'
  | 'bad-declaration'
  | 'too-large'
  | 'unavailable'
  | 'unknown'

/** Why an operation on a strong key has no result. */
export class StrongError extends Error {
  override readonly name = 'StrongError'

  constructor(
    readonly code: StrongErrorCode,
    message: string,
    /** Names the operation where it may have been applied, for `resolve`. */
    readonly operation?: NamedOperation,
  ) {
    super(message)
  }

  /** Whether the operation was applied: `no` for certain, or `maybe`. */
  get applied(): 'no' | 'maybe' {
    return this.code === 'unknown' ? 'maybe' : 'no'
  }
}

/** All that it takes to ask what became of an operation. */
export interface NamedOperation {
  readonly id: OperationId
  /** As in the operation itself. */
  readonly since: number
}

/** As one word, to be given out and back: `<sequence>-<since>-<client>`. */
export function formatOperation({ id, since }: NamedOperation): string {
  return `${id.sequence}-${since}-${id.client}`
}

/** The operation that a word names; undefined where it names none. */
export function parseOperation(text: string): NamedOperation | undefined {
  const match = /^(\d{1,16})-(\d{1,16})-(.+)$/su.exec(text)
  if (match === null) return undefined
  const [sequence, since] = [Number(match[1]), Number(match[2])]
  const client = match[3]!
  const isNumber = Number.isSafeInteger(sequence) && sequence > 0 && Number.isSafeInteger(since)
  if (!isNumber || Buffer.byteLength(client) > LIMITS.idBytesMax) return undefined
  return { id: { client, sequence }, since }
}
