import type { Json } from '@skein/agent'

/** How long after its confirmation a value still counts as "just set here". */
export const OWN_WRITE_FRESH_MS = 8_000

/**
 * What this agent wrote and has an interest in: writes that wait for a relay, and fresh ones that
 * another agent may replace. A write that waits stays fresh however long it waits, so one made offline
 * and lost in the merge hours later is still told.
 */
export class OwnWrites {
  readonly #writes = new Map<string, { value: Json; order: number; confirmedAt: number | undefined }>()
  #order = 0

  /** Number of the latest write; the argument of a later {@link confirm}. */
  get latest(): number {
    return this.#order
  }

  wrote(key: string, value: Json): void {
    this.#order += 1
    this.#writes.set(key, { value, order: this.#order, confirmedAt: undefined })
  }

  /** All writes up to number `order` are safe on a relay. */
  confirm(order: number, now: number): void {
    for (const [key, write] of this.#writes) {
      if (write.order <= order) write.confirmedAt ??= now
      if (write.confirmedAt !== undefined && now - write.confirmedAt > OWN_WRITE_FRESH_MS) {
        this.#writes.delete(key)
      }
    }
  }

  /** Whether the last write of this key is not yet safe on a relay. */
  waits(key: string): boolean {
    const write = this.#writes.get(key)
    return write !== undefined && write.confirmedAt === undefined
  }

  /** Whether any write is not yet safe on a relay. */
  get anyWaits(): boolean {
    return [...this.#writes.values()].some((write) => write.confirmedAt === undefined)
  }

  /**
   * Another agent's value has come for a key. Returns the value set here that it replaced, if that was
   * fresh and different; tells each loss once.
   */
  replaced(key: string, value: Json | undefined, now: number): Json | undefined {
    const write = this.#writes.get(key)
    if (!write || write.value === value) return undefined
    this.#writes.delete(key)
    const fresh = write.confirmedAt === undefined || now - write.confirmedAt <= OWN_WRITE_FRESH_MS
    return fresh ? write.value : undefined
  }
}
