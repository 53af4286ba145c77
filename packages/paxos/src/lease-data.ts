/** What the register of a lease holds. No time of day: who reads it counts on its own clock. */
export interface LeaseData {
  /** Who may act, as the application names it. */
  readonly holder: string
  /** How long the holder may act after it sent its last renewal, in whole milliseconds. */
  readonly ttlMs: number
}

/** What a register says of a lease. Its data may come from anybody who may write the key. */
export type LeaseReading =
  | { readonly kind: 'held'; readonly lease: LeaseData }
  /** Never taken, or released. */
  | { readonly kind: 'free' }
  /** Not a lease. Nobody knows how long to wait for it, so it is not taken over. */
  | { readonly kind: 'malformed' }

export const LEASE_LIMITS = {
  /** A day. Longer terms keep what their dead holders had for longer than anybody waits. */
  ttlMsMax: 86_400_000,
} as const

/** @throws RangeError for a term that `decodeLease` would not read */
export function encodeLease({ holder, ttlMs }: LeaseData): string {
  if (!isTerm(ttlMs)) throw new RangeError(`a lease's term is 1 to ${LEASE_LIMITS.ttlMsMax} ms, not ${ttlMs}`)
  return JSON.stringify({ holder, ttlMs })
}

/** @param value of the register; undefined where it was deleted or never written */
export function decodeLease(value: string | undefined): LeaseReading {
  if (value === undefined) return { kind: 'free' }
  const data = parse(value)
  if (typeof data !== 'object' || data === null || !('holder' in data)) return { kind: 'malformed' }
  if (data.holder === null) return { kind: 'free' }
  if (typeof data.holder !== 'string' || !('ttlMs' in data) || !isTerm(data.ttlMs))
    return { kind: 'malformed' }
  return { kind: 'held', lease: { holder: data.holder, ttlMs: data.ttlMs } }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isTerm(ttlMs: unknown): ttlMs is number {
  return Number.isInteger(ttlMs) && Number(ttlMs) >= 1 && Number(ttlMs) <= LEASE_LIMITS.ttlMsMax
}
