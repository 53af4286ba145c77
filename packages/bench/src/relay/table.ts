import type { Case } from './case.js'
import type { ContenderName } from './contender.js'
import { MEASURED, type Measured, median, type Results, ratioOf, rowName } from './results.js'

/** Markdown, a row for each metric. */
export class Table {
  private readonly columns: readonly Measured[]

  constructor(takesPart: (contender: Measured) => boolean) {
    this.columns = MEASURED.filter(takesPart)
  }

  header(): string {
    const names = ['case', 'base', ...this.columns, ...this.columns.map((name) => `${name}/base`)]
    return `${row(names)}\n${row(names.map((_, i) => (i === 0 ? '---' : '---:')))}`
  }

  rows(measured: Case, results: Results): string {
    const rows = Object.entries(measured.metrics).map(([key, metric]) => {
      const figures = results.of(key)
      const cell = (contender: ContenderName) => {
        if (results.failed.has(contender)) return 'failed'
        const values = figures.get(contender)
        return values === undefined ? '-' : figure(values, metric.unit)
      }
      const base = metric.base === undefined ? '-' : `${metric.base} ${cell(metric.base)}`
      const ratios = this.columns.map((contender) => ratioOf(metric, figures, contender)?.toFixed(2) ?? '-')
      return row([rowName(measured, metric), base, ...this.columns.map(cell), ...ratios])
    })
    return rows.join('\n')
  }
}

export function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** The median, and the lowest and highest where there are several. */
export function figure(values: readonly number[], unit: string): string {
  const middle = median(values)
  const format = (value: number) => value.toFixed(digits(values, middle))
  const spread =
    values.length === 1 ? '' : ` (${format(Math.min(...values))} to ${format(Math.max(...values))})`
  return `${format(middle)} ${unit}`.trim() + spread
}

function digits(values: readonly number[], middle: number): number {
  if (values.every(Number.isInteger) || Math.abs(middle) >= 1_000) return 0
  return Math.abs(middle) < 10 ? 2 : 1
}
