import { type Figures, median, type Results } from '../relay/results.js'
import { figure, row } from '../relay/table.js'
import { BASE, COMPARED, type StrongCase, type StrongContender, type StrongMetric } from './case.js'
import type { Limits, Spread } from './limits.js'

export function limitsTable({ flush, lmdbCommit, roundTrip, roundTripsPerSecond }: Limits): string {
  const write: Spread = {
    p10: 2 * roundTrip.p10 + flush.p10,
    median: 2 * roundTrip.median + flush.median,
  }
  const line = (what: string, { p10, median }: Spread) =>
    row([what, `${p10.toFixed(2)} ms`, `${median.toFixed(2)} ms`])
  return [
    row(['what the machine allows', 'p10', 'median']),
    row(['---', '---:', '---:']),
    line('one page written and flushed', flush),
    line('one LMDB commit, flushed', lmdbCommit),
    line('one HTTP round trip to a bare Node server', roundTrip),
    line('so a write beside an acceptor: two round trips, one flush', write),
    row(['HTTP round trips of 64 clients to one server', '', `${roundTripsPerSecond.toFixed(0)} /s`]),
    '',
  ].join('\n')
}

export function tableHeader(): string {
  const names = ['case', BASE, ...COMPARED, ...COMPARED.map((name) => `${name}/${BASE}`)]
  return `${row(names)}\n${row(names.map((_, i) => (i === 0 ? '---' : '---:')))}`
}

export function caseRows(of: StrongCase, results: Results<StrongContender>): string {
  const rows = Object.entries(of.metrics).map(([key, metric]) => {
    const figures = results.of(key)
    const cell = (contender: StrongContender) => {
      if (results.failed.has(contender)) return 'failed'
      const values = figures.get(contender)
      return values === undefined ? '-' : figure(values, metric.unit)
    }
    const ratios = COMPARED.map((contender) => ratioOf(figures, contender)?.toFixed(2) ?? '-')
    return row([metricName(of, metric), cell(BASE), ...COMPARED.map(cell), ...ratios])
  })
  return rows.join('\n')
}

/** A contender's median by that of etcd; undefined where either has no figure. */
export function ratioOf(figures: Figures<StrongContender>, contender: StrongContender): number | undefined {
  const base = figures.get(BASE)
  const values = figures.get(contender)
  if (base === undefined || values === undefined) return undefined
  const ratio = median(values) / median(base)
  return Number.isFinite(ratio) ? ratio : undefined
}

export function metricName({ name }: StrongCase, { label, moreIsBetter }: StrongMetric): string {
  return `${name}: ${label}${moreIsBetter ? ' (more is better)' : ''}`
}
