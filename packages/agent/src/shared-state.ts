import { checkKey, STATE_MAP } from '@skein/sync'
import type * as Y from 'yjs'
import { checked, copyValue } from './checked.js'
import { isolated } from './isolated.js'
import type { Change, Json } from './types.js'

/**
 * The shared state: JSON values under flat keys of one Y.Map. Flat, because two concurrent creations of
 * a nested map under one key would lose one of them.
 */
export class SharedState {
  private readonly map: Y.Map<Json>
  private readonly observers = new Set<{
    match: (key: string) => boolean
    callback: (change: Change) => void
  }>()

  /** @param isStrong keys of which nothing here counts: anybody could have written it */
  constructor(
    doc: Y.Doc,
    private readonly isStrong: (key: string) => boolean,
  ) {
    this.map = doc.getMap<Json>(STATE_MAP)
    this.map.observe((event, transaction) => {
      for (const [key, { oldValue }] of event.changes.keys) {
        this.tell({ key, value: this.map.get(key), oldValue, local: transaction.local })
      }
    })
  }

  get(key: string): Json | undefined {
    return this.map.get(key)
  }

  set(key: string, value: Json): void {
    checked(() => checkKey(key))
    this.map.set(key, copyValue(value))
  }

  delete(key: string): boolean {
    checked(() => checkKey(key))
    const had = this.map.has(key)
    if (had) this.map.delete(key)
    return had
  }

  /** In no order. */
  entries(prefix: string): [string, Json][] {
    const entries: [string, Json][] = []
    for (const [key, value] of this.map.entries()) {
      if (key.startsWith(prefix) && !this.isStrong(key)) entries.push([key, value])
    }
    return entries
  }

  observe(keyOrPrefix: string, callback: (change: Change) => void): () => void {
    const isPrefix = keyOrPrefix === '' || keyOrPrefix.endsWith('/')
    const match = isPrefix
      ? (key: string) => key.startsWith(keyOrPrefix)
      : (key: string) => key === keyOrPrefix
    const observer = { match, callback }
    this.observers.add(observer)
    return () => this.observers.delete(observer)
  }

  private tell(change: Change): void {
    if (this.isStrong(change.key)) return
    for (const { match, callback } of this.observers) {
      if (match(change.key)) isolated(() => callback(change))
    }
  }
}
