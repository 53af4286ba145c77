import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { barChart } from '../svg.js'

export interface Drawn {
  readonly p99: number
  readonly bytes: number
}

/**
 * Draws p99 beside that of always redundant, which is the best that can be had, at twice the bytes; and bytes beside
 * those of one relay. Returns where.
 */
export function drawPaths<Name extends string>(
  file: string,
  title: string,
  scenarios: readonly { readonly name: string; readonly measured: ReadonlyMap<Name, Drawn> }[],
  { best, single, drawn }: { readonly best: Name; readonly single: Name; readonly drawn: readonly Name[] },
): string {
  const rows = scenarios.flatMap(({ name, measured }) => {
    const ratios = (of: (measured: Drawn) => number) =>
      new Map(drawn.map((way) => [way, of(measured.get(way)!)]))
    const [bestP99, singleBytes] = [measured.get(best)!.p99, measured.get(single)!.bytes]
    return [
      { name: `${name}: p99 / ${best}`, ratios: ratios(({ p99 }) => p99 / bestP99) },
      { name: `${name}: bytes / ${single}`, ratios: ratios(({ bytes }) => bytes / singleBytes) },
    ]
  })
  const plot = path.resolve('bench-results', file)
  mkdirSync(path.dirname(plot), { recursive: true })
  writeFileSync(plot, barChart(title, rows, drawn))
  return plot
}
