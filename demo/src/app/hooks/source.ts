import type { Space } from '@skein/agent'
import { useSyncExternalStore } from 'react'

/** A value outside React that changes: a snapshot that stays the same object until it really differs. */
export interface Source<T> {
  subscribe(listener: () => void): () => void
  snapshot(): T
}

/**
 * A source that reads its value when asked, after something told that it may have changed. `watch` is
 * called once, at the beginning, and for good: a space lives as long as its page.
 */
export function createSource<T>(
  read: () => T,
  watch: (changed: () => void) => void,
  same: (a: T, b: T) => boolean = Object.is,
): Source<T> {
  const listeners = new Set<() => void>()
  let value = read()
  let stale = false
  watch(() => {
    stale = true
    for (const listener of [...listeners]) listener()
  })
  return {
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    snapshot() {
      if (stale) {
        stale = false
        const next = read()
        if (!same(value, next)) value = next
      }
      return value
    },
  }
}

/** The source, kept up to date by what `begin` starts, and ends again, only while somebody listens. */
export function whileHeard<T>(source: Source<T>, begin: () => () => void): Source<T> {
  let listeners = 0
  let end = () => {}
  return {
    subscribe(listener) {
      const unsubscribe = source.subscribe(listener)
      if (++listeners === 1) end = begin()
      let isOver = false
      return () => {
        if (isOver) return
        isOver = true
        unsubscribe()
        if (--listeners === 0) end()
      }
    },
    snapshot: source.snapshot,
  }
}

export function useSource<T>(source: Source<T>): T {
  return useSyncExternalStore(source.subscribe, source.snapshot)
}

const sources = new WeakMap<Space, Map<string, Source<unknown>>>()

/** The one source of this name for a space; made at its first use. */
export function sourceOf<T>(space: Space, name: string, create: () => Source<T>): Source<T> {
  const ofSpace = sources.get(space) ?? new Map<string, Source<unknown>>()
  sources.set(space, ofSpace)
  const source = (ofSpace.get(name) as Source<T> | undefined) ?? create()
  ofSpace.set(name, source)
  return source
}

/** Equality of JSON values by content. */
export function sameJson(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
