import { copyJson, StateError } from '@skein/sync'
import { SkeinError } from './errors.js'
import type { Json } from './types.js'

/** A copy of a JSON value. @throws SkeinError `bad-value` */
export function copyValue(value: unknown): Json {
  return checked(() => copyJson(value))
}

/** Runs a check of the shared state's rules. @throws SkeinError `bad-key`, `bad-value` */
export function checked<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (error instanceof StateError) throw new SkeinError(error.code, error.message)
    throw error
  }
}
