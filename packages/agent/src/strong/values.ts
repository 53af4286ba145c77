import { LIMITS, type StrongCondition as WireCondition, type StrongEntry as WireEntry } from '@skein/protocol'
import { copyValue } from '../checked.js'
import { SkeinError } from '../errors.js'
import type { Json } from '../types.js'
import { bytesOf } from './prefixes.js'
import type { StrongCondition, StrongEntry } from './types.js'

/** A value as it is sent. @throws SkeinError `bad-value` */
export function encodeValue(value: unknown): string {
  const text = JSON.stringify(copyValue(value))
  const bytes = bytesOf(text)
  if (bytes <= LIMITS.strongValueBytesMax) return text
  throw new SkeinError(
    'bad-value',
    `the value has ${bytes} bytes as JSON, a strong key takes ${LIMITS.strongValueBytesMax}; nothing was sent`,
  )
}

/** An entry for the application: a copy of its own. The caller says what its JSON is. */
export function decodeEntry<T extends Json>({ value, version, fence }: WireEntry): StrongEntry<T> {
  return { value: value === undefined ? undefined : (JSON.parse(value) as T), version, fence }
}

/** @throws SkeinError `bad-value` */
export function encodeCondition(condition: StrongCondition): WireCondition {
  if ('ifVersion' in condition) return { kind: 'version', version: whole(condition.ifVersion) }
  if ('ifFence' in condition) return { kind: 'fence', fence: whole(condition.ifFence) }
  return { kind: 'ifAbsent' in condition ? 'absent' : 'present' }
}

function whole(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new SkeinError('bad-value', `a version or fence is a whole number, not ${value}; nothing was sent`)
}
