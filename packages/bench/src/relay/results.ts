import type { Case, Metric } from './case.js'
import type { ContenderName } from './contender.js'

/** The figures of one metric, one a round, of each contender that gave any. */
export type Figures<Name extends string = ContenderName> = ReadonlyMap<Name, readonly number[]>

/** What the rounds of a case gave. */
export class Results<Name extends string = ContenderName> {
  private readonly figures = new Map<string, Map<Name, number[]>>()
  readonly failed = new Set<Name>()

  add(contender: Name, metrics: Readonly<Record<string, number>>): void {
    for (const [key, value] of Object.entries(metrics)) {
      const ofMetric = this.figures.get(key) ?? new Map<Name, number[]>()
      this.figures.set(key, ofMetric)
      ofMetric.set(contender, [...(ofMetric.get(contender) ?? []), value])
    }
  }

  of(key: string): Figures<Name> {
    return this.figures.get(key) ?? new Map()
  }
}

/** Contenders beside the base, in the order of the columns. */
export const MEASURED = ['stock', 'hocuspocus', 'skein'] as const
export type Measured = (typeof MEASURED)[number]

/** A contender's median by that of the base; undefined where either has no figure, or none to divide by. */
export function ratioOf(metric: Metric, figures: Figures, contender: ContenderName): number | undefined {
  const base = metric.base === undefined ? undefined : figures.get(metric.base)
  const values = figures.get(contender)
  if (base === undefined || values === undefined) return undefined
  const ratio = median(values) / median(base)
  return Number.isFinite(ratio) ? ratio : undefined
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2
}

/** The name of a metric in a table or plot. */
export function rowName({ name }: Case, { label, moreIsBetter }: Metric): string {
  return `${name}: ${label}${moreIsBetter ? ' (more is better)' : ''}`
}
