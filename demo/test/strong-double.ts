import type { Json } from '@skein/agent'

interface Entry {
  readonly value: Json | undefined
  readonly version: number
  readonly fence: number
}

type Condition = { readonly ifVersion: number } | { readonly ifAbsent: true }

/** The part of the strong region that the bridge uses, decided in memory and at once. */
export class StrongDouble {
  reachable = true
  readonly #entries = new Map<string, Entry>()
  readonly #watchers = new Map<string, Set<(entry: Entry) => void>>()

  current(key: string): Entry {
    return this.#entries.get(key) ?? { value: undefined, version: 0, fence: 0 }
  }

  /** Decides a value as another agent would; `fence` to play one that was overtaken. */
  decide(key: string, value: Json, fence = this.current(key).fence + 1): Entry {
    const entry = { value, fence, version: this.current(key).version + 1 }
    this.#entries.set(key, entry)
    for (const tell of this.#watchers.get(key) ?? []) tell(entry)
    return entry
  }

  async compareAndSet(key: string, condition: Condition, value: Json): Promise<Entry> {
    const { version } = this.current(key)
    if (!this.reachable) throw new Error('unavailable')
    if ('ifVersion' in condition && condition.ifVersion !== version) throw new Error('conflict')
    return this.decide(key, value)
  }

  async *watch(key: string): AsyncGenerator<Entry> {
    const queue: Entry[] = [this.current(key)]
    let wake = () => {}
    const tell = (entry: Entry) => {
      queue.push(entry)
      wake()
    }
    const watchers = this.#watchers.get(key) ?? new Set()
    this.#watchers.set(key, watchers.add(tell))
    for (;;) {
      while (queue.length > 0) yield queue.shift()!
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
}
