import type { Entry } from '@skein/paxos'

interface Watcher {
  readonly onEntry: (entry: Entry) => void
  version: number
}

/** Who watches which key here, and what each was told; the versions told to one of them rise. */
export class Watchers {
  private readonly byKey = new Map<string, Set<Watcher>>()

  get keys(): Iterable<string> {
    return this.byKey.keys()
  }

  add(key: string, onEntry: (entry: Entry) => void): { readonly remove: () => boolean } {
    const watcher: Watcher = { onEntry, version: -1 }
    const watchers = this.byKey.get(key) ?? new Set()
    this.byKey.set(key, watchers.add(watcher))
    return {
      /** True where it was the last one of the key. */
      remove: () => {
        if (!watchers.delete(watcher) || watchers.size > 0) return false
        if (this.byKey.get(key) === watchers) this.byKey.delete(key)
        return true
      },
    }
  }

  tell(key: string, entry: Entry): void {
    for (const watcher of [...(this.byKey.get(key) ?? [])]) {
      if (entry.version <= watcher.version) continue
      watcher.version = entry.version
      watcher.onEntry(entry)
    }
  }
}
