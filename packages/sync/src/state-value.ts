/** A JSON value, the only kind that the shared state holds. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** The name of the Y.Map that holds the shared state; part of what replicas agree on. */
export const STATE_MAP = 'state'

/** A key or value that the shared state does not take; nothing was written. */
export class StateError extends Error {
  override readonly name = 'StateError'
  readonly code: 'bad-key' | 'bad-value'

  constructor(code: 'bad-key' | 'bad-value', message: string) {
    super(message)
    this.code = code
  }
}

/** Longest key of the shared state, in UTF-16 units. */
export const KEY_CHARS_MAX = 512
/** Deepest nesting of a value. */
export const VALUE_DEPTH_MAX = 64
/** Largest value, in UTF-16 units of its strings and keys plus one for everything else. */
export const VALUE_SIZE_MAX = 1024 * 1024

/** @throws StateError `bad-key` */
export function checkKey(key: string): void {
  if (typeof key !== 'string' || key.length === 0 || key.length > KEY_CHARS_MAX) {
    throw new StateError('bad-key', `a key has 1 to ${KEY_CHARS_MAX} characters; nothing was written`)
  }
}

/**
 * A copy of a JSON value, so that later changes to the original don't change the document behind its
 * back. Unlike `JSON.stringify` it drops and converts nothing silently.
 * @throws StateError `bad-value`
 */
export function copyJson(value: unknown): Json {
  let size = 0
  const copy = (part: unknown, depth: number, path: string): Json => {
    if (depth > VALUE_DEPTH_MAX) throw bad(`is nested more than ${VALUE_DEPTH_MAX} deep (or in itself)`, path)
    size += typeof part === 'string' ? part.length : 1
    if (size > VALUE_SIZE_MAX) throw bad(`is larger than ${VALUE_SIZE_MAX} units`, '')
    if (part === null || typeof part === 'boolean' || typeof part === 'string') return part
    if (typeof part === 'number') {
      if (!Number.isFinite(part)) throw bad(`is ${part}, which JSON does not have`, path)
      return part
    }
    if (Array.isArray(part)) return Array.from(part, (item, i) => copy(item, depth + 1, `${path}[${i}]`))
    if (typeof part !== 'object' || !isPlain(part)) throw bad(`is ${describe(part)}, not JSON`, path)
    // Yjs tells kinds of values apart by `value.constructor`, and throws at what it finds there.
    if (depth === 0 && Object.hasOwn(part, 'constructor')) {
      throw bad("has the key 'constructor' in its outermost object, which Yjs does not take", path)
    }
    const result: Record<string, Json> = {}
    for (const [key, item] of Object.entries(part)) {
      size += key.length
      // Defined, not assigned: "__proto__" is a key like any other.
      Object.defineProperty(result, key, {
        value: copy(item, depth + 1, `${path}.${key}`),
        writable: true,
        enumerable: true,
        configurable: true,
      })
    }
    return result
  }
  return copy(value, 0, '')
}

function bad(what: string, path: string): StateError {
  return new StateError(
    'bad-value',
    `the value${path === '' ? '' : ` at ${path}`} ${what}; nothing was written`,
  )
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function describe(value: unknown): string {
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `a ${typeof value}`
  return `an instance of ${value?.constructor?.name ?? 'something'}`
}
