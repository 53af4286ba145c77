import type { StrongAnswer, StrongEntry as WireEntry } from '@skein/protocol'
import type { StrongLink } from './link.js'

/** One who watches a key. */
export interface Watcher {
  /** Versions rise. */
  onEntry(entry: WireEntry): void
  /** It is over: the relay refuses it, or else the space is left. */
  onEnd(refusal: (StrongAnswer & { kind: 'refused' }) | undefined): void
}

/** After what the relay could not do for now, a watch is asked for again. */
const AGAIN_MS = 1_000

interface Watch {
  readonly watchers: Set<Watcher>
  /** The newest that was told. */
  entry: WireEntry | undefined
  number: number | undefined
  again: ReturnType<typeof setTimeout> | undefined
}

/** The keys that are watched, over however many connections. */
export class Watches {
  private readonly watches = new Map<string, Watch>()
  private isOpen = false

  constructor(private readonly link: StrongLink) {}

  /** @returns a function that ends it */
  add(key: string, watcher: Watcher): () => void {
    const watch = this.watches.get(key) ?? this.begin(key)
    watch.watchers.add(watcher)
    if (watch.entry !== undefined) watcher.onEntry(watch.entry)
    return () => {
      watch.watchers.delete(watcher)
      if (watch.watchers.size === 0 && this.watches.get(key) === watch) this.forget(key, watch)
    }
  }

  opened(): void {
    this.isOpen = true
    for (const [key, watch] of this.watches) this.ask(key, watch)
  }

  closed(): void {
    this.isOpen = false
    for (const watch of this.watches.values()) {
      watch.number = undefined
      clearTimeout(watch.again)
    }
  }

  /** Nothing is told any more. */
  end(): void {
    this.closed()
    const watches = [...this.watches.values()]
    this.watches.clear()
    for (const watcher of watches.flatMap(({ watchers }) => [...watchers])) watcher.onEnd(undefined)
  }

  event(key: string, entry: WireEntry): void {
    const watch = this.watches.get(key)
    // Of another relay that knows less, or on its way when the watch ended.
    if (watch === undefined || (watch.entry !== undefined && entry.version <= watch.entry.version)) return
    watch.entry = entry
    for (const watcher of [...watch.watchers]) watcher.onEntry(entry)
  }

  /** Returns whether the answer was one to a watch. */
  answered(number: number, answer: StrongAnswer): boolean {
    for (const [key, watch] of this.watches) {
      if (watch.number !== number) continue
      if (answer.kind === 'refused') {
        this.watches.delete(key)
        for (const watcher of watch.watchers) watcher.onEnd(answer)
      } else watch.again = setTimeout(() => this.ask(key, watch), AGAIN_MS)
      return true
    }
    return false
  }

  private begin(key: string): Watch {
    const watch: Watch = { watchers: new Set(), entry: undefined, number: undefined, again: undefined }
    this.watches.set(key, watch)
    this.ask(key, watch)
    return watch
  }

  private ask(key: string, watch: Watch): void {
    if (!this.isOpen || this.watches.get(key) !== watch) return
    watch.number = this.link.nextNumber()
    this.link.send({ type: 'strong-request', number: watch.number, request: { kind: 'watch', key } })
  }

  private forget(key: string, watch: Watch): void {
    this.watches.delete(key)
    clearTimeout(watch.again)
    if (!this.isOpen) return
    const number = this.link.nextNumber()
    this.link.send({ type: 'strong-request', number, request: { kind: 'unwatch', key } })
  }
}
