import { LIMITS } from '@skein/protocol'
import { checkKey } from '@skein/sync'
import { checked } from '../checked.js'
import { SkeinError } from '../errors.js'

/** A copy of the declared prefixes, each once, sorted. @throws SkeinError `bad-prefix` */
export function checkPrefixes(prefixes: readonly string[]): readonly string[] {
  const { strongPrefixesMax, strongPrefixBytesMax } = LIMITS
  if (prefixes.length === 0 || prefixes.length > strongPrefixesMax) {
    throw new SkeinError(
      'bad-prefix',
      `strong takes 1 to ${strongPrefixesMax} prefixes, not ${prefixes.length}; nothing was declared`,
    )
  }
  for (const prefix of prefixes) {
    if (typeof prefix === 'string' && prefix !== '' && fits(prefix, strongPrefixBytesMax)) continue
    throw new SkeinError(
      'bad-prefix',
      `a strong prefix is 1 to ${strongPrefixBytesMax} bytes of well-formed text; nothing was declared`,
    )
  }
  return [...new Set(prefixes)].sort()
}

/** @throws SkeinError `bad-key` */
export function checkStrongKey(key: string): void {
  checked(() => checkKey(key))
  if (fits(key, LIMITS.strongKeyBytesMax)) return
  throw new SkeinError(
    'bad-key',
    `a strong key is 1 to ${LIMITS.strongKeyBytesMax} bytes of well-formed text; nothing was done`,
  )
}

export function samePrefixes(a: readonly string[], b: readonly string[]): boolean {
  const known = new Set(a)
  return known.size === new Set(b).size && b.every((prefix) => known.has(prefix))
}

export function hasPrefix(key: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => key.startsWith(prefix))
}

/** Half a surrogate pair cannot be sent: it would become another key on the way. */
function fits(text: string, bytesMax: number): boolean {
  return !/\p{Surrogate}/u.test(text) && bytesOf(text) <= bytesMax
}

export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length
}
