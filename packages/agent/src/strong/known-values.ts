import type { StrongEntry as WireEntry } from '@skein/protocol'

export interface KnownValue {
  readonly entry: WireEntry
  /** When it was heard of, in milliseconds of `Date.now()`. */
  readonly atMs: number
}

/** Keys whose last decided value is remembered; what was heard of longest ago is forgotten first. */
export const KNOWN_KEYS_MAX = 10_000

/** The newest decided value that this agent has heard of, by key. It only ever goes forward. */
export class KnownValues {
  private readonly values = new Map<string, KnownValue>()

  get(key: string): KnownValue | undefined {
    return this.values.get(key)
  }

  keys(): Iterable<string> {
    return this.values.keys()
  }

  /** A version at which an operation that begins now was certainly not applied. */
  versionOf(key: string): number {
    return this.values.get(key)?.entry.version ?? 0
  }

  learn(key: string, entry: WireEntry): void {
    const before = this.values.get(key)
    if (before !== undefined && before.entry.version > entry.version) return
    this.values.delete(key)
    this.values.set(key, { entry, atMs: Date.now() })
    if (this.values.size <= KNOWN_KEYS_MAX) return
    const [oldest] = this.values.keys()
    if (oldest !== undefined) this.values.delete(oldest)
  }
}
