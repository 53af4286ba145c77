import { LIMITS } from '@skein/protocol'
import { copyJson, type Json, StateError } from '@skein/sync'
import { StrongError } from './strong-error.js'

/** @throws StrongError `bad-key`, `too-large` */
export function checkStrongKey(key: string): void {
  if (!isName(key)) throw new StrongError('bad-key', 'a strong key is text without NUL, and not empty')
  if (isLonger(key, LIMITS.strongKeyBytesMax)) {
    throw new StrongError('too-large', `a strong key has at most ${LIMITS.strongKeyBytesMax} bytes`)
  }
}

/** The value as the text that a register holds. @throws StrongError `bad-value`, `too-large` */
export function valueText(value: unknown): string {
  const text = JSON.stringify(checked(value))
  if (isLonger(text, LIMITS.strongValueBytesMax)) {
    throw new StrongError(
      'too-large',
      `a strong value has at most ${LIMITS.strongValueBytesMax} bytes as JSON`,
    )
  }
  return text
}

/** Prefixes as they are declared, each once. @throws StrongError `bad-declaration` */
export function checkPrefixes(prefixes: unknown): readonly string[] {
  const bad = (why: string) => new StrongError('bad-declaration', `prefixes of strong keys ${why}`)
  if (!Array.isArray(prefixes)) throw bad('are a list')
  if (prefixes.length > LIMITS.strongPrefixesMax) throw bad(`are at most ${LIMITS.strongPrefixesMax}`)
  for (const prefix of prefixes) {
    if (typeof prefix !== 'string' || !isName(prefix)) throw bad('are text without NUL, and not empty')
    if (isLonger(prefix, LIMITS.strongPrefixBytesMax)) {
      throw bad(`have at most ${LIMITS.strongPrefixBytesMax} bytes each`)
    }
  }
  return [...new Set(prefixes as string[])]
}

function checked(value: unknown): Json {
  try {
    return copyJson(value)
  } catch (error) {
    if (error instanceof StateError) throw new StrongError('bad-value', error.message)
    throw error
  }
}

function isName(text: string): boolean {
  return text.length > 0 && !text.includes('\0') && !LONE_SURROGATE.test(text)
}

const LONE_SURROGATE = /\p{Surrogate}/u

function isLonger(text: string, bytesMax: number): boolean {
  // Without counting, for what is short or long enough to be sure: a UTF-16 unit is 1 to 3 bytes.
  if (text.length * 3 <= bytesMax) return false
  return text.length > bytesMax || Buffer.byteLength(text) > bytesMax
}
