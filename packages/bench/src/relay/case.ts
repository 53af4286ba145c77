import type { Arena } from './arena.js'
import type { ContenderName } from './contender.js'

export interface Metric {
  readonly label: string
  readonly unit: string
  /** What the others are measured by; undefined where there is no such thing. */
  readonly base: 'bare' | 'blob' | undefined
  readonly moreIsBetter?: true
}

/** Something to measure. One run of one contender gives all its metrics, as far as they apply to it. */
export interface Case {
  readonly name: string
  readonly contenders: readonly ContenderName[]
  readonly metrics: Readonly<Record<string, Metric>>
  run(arena: Arena): Promise<Readonly<Record<string, number>>>
}

/** A case whose run gives no other metrics than it declares. */
export function defineCase<Key extends string>(definition: {
  readonly name: string
  readonly contenders: readonly ContenderName[]
  readonly metrics: Readonly<Record<Key, Metric>>
  readonly run: (arena: Arena) => Promise<Readonly<Partial<Record<NoInfer<Key>, number>>>>
}): Case {
  return definition as Case
}

/** Who takes part in what needs no storage. */
export const FORWARDERS: readonly ContenderName[] = ['bare', 'stock', 'hocuspocus', 'skein']
