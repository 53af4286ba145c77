import type { Store } from './stores/store.js'

/**
 * `etcd` reads anew after every refusal, as its clients usually do; `etcd-else` has the refusing transaction
 * read; `skein` goes on from the entry that its refusal tells.
 */
export type StrongContender = 'etcd' | 'etcd-else' | 'skein'

/** The one that the others are measured by. */
export const BASE = 'etcd' satisfies StrongContender
export const COMPARED = ['etcd-else', 'skein'] as const satisfies readonly StrongContender[]

export interface StrongMetric {
  readonly label: string
  readonly unit: string
  readonly moreIsBetter?: true
}

export interface StrongCase {
  readonly name: string
  readonly contenders: readonly StrongContender[]
  readonly metrics: Readonly<Record<string, StrongMetric>>
  run(store: Store, milliseconds: number): Promise<Readonly<Record<string, number>>>
}
