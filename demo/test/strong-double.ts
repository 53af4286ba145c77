import type { Json, StrongCondition, StrongEntry, StrongRegion, Written } from '@skein/agent'

/** The part of the strong region that the bridge uses, decided in memory and at once. */
export class StrongDouble implements Pick<StrongRegion, 'compareAndSet' | 'watch'> {
  reachable = true
  readonly #entries = new Map<string, StrongEntry>()
  readonly #watchers = new Map<string, Set<(entry: StrongEntry) => void>>()

  current(key: string): StrongEntry {
    return this.#entries.get(key) ?? { value: undefined, version: 0, fence: 0 }
  }

  /** Decides a value as another agent would; `fence` to play one that was overtaken. */
  decide(key: string, value: Json, fence = this.current(key).fence + 1): StrongEntry {
    const entry = { value, fence, version: this.current(key).version + 1 }
    this.#entries.set(key, entry)
    for (const tell of this.#watchers.get(key) ?? []) tell(entry)
    return entry
  }

  async compareAndSet(key: string, condition: StrongCondition, value: Json): Promise<Written> {
    const { version } = this.current(key)
    if (!this.reachable) throw new Error('unavailable')
    if ('ifVersion' in condition && condition.ifVersion !== version) throw new Error('conflict')
    return this.decide(key, value)
  }

  async *watch<T extends Json>(key: string): AsyncGenerator<StrongEntry<T>> {
    const queue: StrongEntry[] = [this.current(key)]
    let wake = () => {}
    const tell = (entry: StrongEntry) => {
      queue.push(entry)
      wake()
    }
    const watchers = this.#watchers.get(key) ?? new Set()
    this.#watchers.set(key, watchers.add(tell))
    for (;;) {
      while (queue.length > 0) yield queue.shift()! as StrongEntry<T>
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
}
