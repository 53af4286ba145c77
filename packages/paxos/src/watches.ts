import type { Entry } from './register.js'

interface Watch {
  /** Only higher ones are told. */
  version: number
  checkMs: number
}

/** How often a watched key is read, in case that who decided it could not tell. */
const CHECK_MS = 2_000

/** The keys that somebody watches, and what they were told. Versions told of a key only rise. */
export class Watches {
  private readonly watches = new Map<string, Watch>()

  /** When `due` has something; Infinity while nothing is watched. */
  get deadlineMs(): number {
    let deadlineMs = Number.POSITIVE_INFINITY
    for (const { checkMs } of this.watches.values()) deadlineMs = Math.min(deadlineMs, checkMs)
    return deadlineMs
  }

  has(key: string): boolean {
    return this.watches.has(key)
  }

  /** Its value is due at once. Who watches already is told its newest again, but nothing older. */
  add(nowMs: number, key: string): void {
    const told = this.watches.get(key)?.version ?? 0
    this.watches.set(key, { version: told - 1, checkMs: nowMs })
  }

  remove(key: string): void {
    this.watches.delete(key)
  }

  /** Whether watchers have to be told of a decided value: not of one that is older than what they know. */
  isNews(key: string, { version }: Entry): boolean {
    const watch = this.watches.get(key)
    if (watch === undefined || version <= watch.version) return false
    watch.version = version
    return true
  }

  /** A value was decided that is not at hand. */
  missed(nowMs: number, key: string): void {
    const watch = this.watches.get(key)
    if (watch !== undefined) watch.checkMs = nowMs
  }

  /** The keys to read now. */
  due(nowMs: number): readonly string[] {
    const keys: string[] = []
    for (const [key, watch] of this.watches) {
      if (watch.checkMs > nowMs) continue
      watch.checkMs = nowMs + CHECK_MS
      keys.push(key)
    }
    return keys
  }
}
