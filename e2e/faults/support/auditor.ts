/**
 * One write to a key of the state: its version, which only rises, or its deletion, after which nobody
 * writes it again. Each key has one writer.
 */
export interface Fact {
  readonly key: string
  readonly version: number
}

/** The version of a deletion: the last of all. */
export const DELETED = Number.POSITIVE_INFINITY

/**
 * Keeps what was written and what was acknowledged, each at its moment, and says what a relay that
 * should have all of it lacks. It knows nothing of relays: what it is told is all it goes by.
 */
export class Auditor {
  private readonly issued = new Map<string, number>()
  private readonly acknowledged = new Map<string, number>()
  private acknowledgements = 0

  /** Something is about to be written; from now on it may be found. */
  wrote({ key, version }: Fact): void {
    this.issued.set(key, Math.max(version, this.issued.get(key) ?? 0))
  }

  /** It was acknowledged; from now on it must be found. */
  confirmed({ key, version }: Fact): void {
    this.acknowledgements++
    this.acknowledged.set(key, Math.max(version, this.acknowledged.get(key) ?? 0))
  }

  /** How many acknowledgements there were so far. */
  get count(): number {
    return this.acknowledgements
  }

  /** Keys with something acknowledged. */
  get keys(): number {
    return this.acknowledged.size
  }

  /** What was acknowledged and is not in this state, and what is in it though nobody wrote it. */
  complaints(state: ReadonlyMap<string, unknown>): string[] {
    return [...this.missing(state), ...this.invented(state)]
  }

  private *missing(state: ReadonlyMap<string, unknown>): Iterable<string> {
    for (const [key, acknowledged] of this.acknowledged) {
      const found = state.get(key)
      if (found === undefined) {
        // A deletion that was sent and not acknowledged may have been kept all the same.
        if (this.issued.get(key) !== DELETED) yield `${key}: version ${acknowledged} is missing`
      } else if (acknowledged === DELETED) {
        yield `${key}: its deletion is missing`
      } else if (versionOf(found) < acknowledged) {
        yield `${key}: version ${acknowledged} was acknowledged, version ${versionOf(found)} is there`
      }
    }
  }

  private *invented(state: ReadonlyMap<string, unknown>): Iterable<string> {
    for (const [key, found] of state) {
      const issued = this.issued.get(key)
      if (issued === undefined) yield `${key}: nobody wrote it`
      else if (!(versionOf(found) <= issued)) yield `${key}: version ${versionOf(found)} was never written`
    }
  }
}

/** A value is its version, or, where updates should be large, an array of version and ballast. */
function versionOf(value: unknown): number {
  return Number(Array.isArray(value) ? value[0] : value)
}
