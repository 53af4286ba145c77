import type { StrongEntry } from '../../model/strong-shape.js'

/** How a strong write ended. There is no fifth kind, and a timeout is never told as a failure. */
export type Outcome =
  | { readonly kind: 'done'; readonly version: number; readonly fence: number }
  /** Somebody was first; it was not applied. */
  | { readonly kind: 'conflict'; readonly current: StrongEntry }
  /** Certainly not applied. */
  | { readonly kind: 'unavailable'; readonly message: string }
  /** It may have been applied, or may still be; `operation` is what to ask with. */
  | { readonly kind: 'unknown'; readonly operation: string }

export function outcomeOf(error: unknown): Outcome {
  const fields = error as { code?: string; current?: StrongEntry; operation?: string }
  if (fields.code === 'conflict') return { kind: 'conflict', current: fields.current! }
  if (fields.code === 'unknown') return { kind: 'unknown', operation: fields.operation! }
  return { kind: 'unavailable', message: error instanceof Error ? error.message : String(error) }
}
