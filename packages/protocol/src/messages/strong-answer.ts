import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import { LIMITS } from '../limits.js'
import type { Reader } from '../reader.js'
import {
  readEntry,
  readPositive,
  readPrefixes,
  type StrongEntry,
  writeEntry,
  writePrefixes,
} from './strong-values.js'

/** What became of a strong request (type 76). */
export interface StrongAnswerMessage {
  readonly type: 'strong-answer'
  /** The request's. */
  readonly number: number
  readonly answer: StrongAnswer
}

export type StrongAnswer =
  /** The write was applied, exactly once, and the register had this version and fence then. */
  | { readonly kind: 'done'; readonly version: number; readonly fence: number }
  /** The write's condition did not hold; it was not applied. */
  | { readonly kind: 'conflict'; readonly current: StrongEntry }
  /** What was read. */
  | { readonly kind: 'value'; readonly current: StrongEntry }
  /** The write was given up by a `resolve`: it was not applied and never will be. */
  | { readonly kind: 'aborted'; readonly current: StrongEntry }
  /** It cannot be told whether an earlier attempt was applied. This one was not. */
  | { readonly kind: 'forgotten'; readonly current: StrongEntry }
  /** This attempt was not applied. */
  | { readonly kind: 'unavailable'; readonly reason: StrongUnavailableReason }
  /** It may have been applied, or may still be. */
  | { readonly kind: 'unknown' }
  /** The prefixes that are decided; none where nothing is. */
  | { readonly kind: 'declared'; readonly prefixes: readonly string[] }
  /** Nothing was done, and the same request will meet the same answer. */
  | { readonly kind: 'refused'; readonly code: StrongRefusalCode; readonly message: string }

/**
 * - `no-quorum`: no majority of the cluster answered before the deadline
 * - `busy`: too many operations wait
 */
export type StrongUnavailableReason = 'no-quorum' | 'busy'

/**
 * - `not-strong`: the key has none of the declared prefixes
 * - `too-large`: over a limit of the relay
 * - `malformed`: not a request that the relay can carry out
 * - `mismatch`: other prefixes are decided for this space
 */
export type StrongRefusalCode = 'not-strong' | 'too-large' | 'malformed' | 'mismatch'

export const STRONG_ANSWER_ID = 76

const KINDS = [
  'done',
  'conflict',
  'value',
  'aborted',
  'forgotten',
  'unavailable',
  'unknown',
  'declared',
  'refused',
] as const
const REASONS: readonly StrongUnavailableReason[] = ['no-quorum', 'busy']
const CODES: readonly StrongRefusalCode[] = ['not-strong', 'too-large', 'malformed', 'mismatch']

export function encodeStrongAnswer(encoder: encoding.Encoder, { number, answer }: StrongAnswerMessage): void {
  encoding.writeVarUint(encoder, number)
  encoding.writeUint8(encoder, KINDS.indexOf(answer.kind))
  switch (answer.kind) {
    case 'done':
      encoding.writeVarUint(encoder, answer.version)
      encoding.writeVarUint(encoder, answer.fence)
      return
    case 'conflict':
    case 'value':
    case 'aborted':
    case 'forgotten':
      writeEntry(encoder, answer.current)
      return
    case 'unavailable':
      encoding.writeUint8(encoder, REASONS.indexOf(answer.reason))
      return
    case 'unknown':
      return
    case 'declared':
      writePrefixes(encoder, answer.prefixes)
      return
    case 'refused':
      encoding.writeUint8(encoder, CODES.indexOf(answer.code))
      encoding.writeVarString(encoder, answer.message)
  }
}

export function decodeStrongAnswer(reader: Reader): StrongAnswerMessage {
  const number = readPositive(reader, 'the number of a request')
  return { type: 'strong-answer', number, answer: readAnswer(reader) }
}

function readAnswer(reader: Reader): StrongAnswer {
  const kind = KINDS[reader.byte()]
  if (kind === undefined) throw new ProtocolError('malformed', 'unknown kind of strong answer')
  switch (kind) {
    case 'done':
      return { kind, version: reader.varUint(), fence: reader.varUint() }
    case 'conflict':
    case 'value':
    case 'aborted':
    case 'forgotten':
      return { kind, current: readEntry(reader) }
    case 'unavailable':
      return { kind, reason: choice(REASONS, reader, 'reason') }
    case 'unknown':
      return { kind }
    case 'declared':
      return { kind, prefixes: readPrefixes(reader) }
    case 'refused': {
      const code = choice(CODES, reader, 'code')
      return { kind, code, message: reader.varString(LIMITS.reasonBytesMax, 'message') }
    }
  }
}

function choice<T>(choices: readonly T[], reader: Reader, what: string): T {
  const chosen = choices[reader.byte()]
  if (chosen === undefined) throw new ProtocolError('malformed', `unknown ${what} in a strong answer`)
  return chosen
}
