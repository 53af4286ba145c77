import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { barChart } from '../svg.js'
import { Arena } from './arena.js'
import type { Case } from './case.js'
import { casesNamed } from './cases.js'
import type { ContenderName } from './contender.js'
import { Histories } from './history/histories.js'
import { type BenchOptions, parseBenchOptions } from './options.js'
import { MEASURED, Results, ratioOf, rowName } from './results.js'
import { whyNoHocuspocus } from './servers/hocuspocus.js'
import { Table } from './table.js'

type Takes = (contender: ContenderName) => boolean

/**
 * Measures the relay beside other servers: each run in a fresh process, the contenders in turn, in rounds.
 * The table goes to standard output as it grows, progress to standard error.
 */
export async function relayBench(args: readonly string[]): Promise<void> {
  const options = parseBenchOptions(args)
  const cases = casesNamed(options.only)
  const noHocuspocus = await whyNoHocuspocus()
  const takesPart: Takes = (contender) => contender !== 'hocuspocus' || noHocuspocus === undefined
  const table = new Table(takesPart)
  const histories = new Histories(options.trace)
  const measured: { readonly of: Case; readonly results: Results }[] = []

  console.log(introduction(options, noHocuspocus))
  console.log(table.header())
  for (const [i, of] of cases.entries()) {
    const results = await runCase(of, `${i + 1}/${cases.length}`, options.rounds, takesPart, histories)
    console.log(table.rows(of, results))
    measured.push({ of, results })
  }
  const plot = path.resolve('bench-results/relay.svg')
  mkdirSync(path.dirname(plot), { recursive: true })
  writeFileSync(plot, plotOf(measured, takesPart))
  console.log(`\nPlot: ${plot}`)
  if (measured.some(({ results }) => results.failed.size > 0)) process.exitCode = 1
}

function introduction({ rounds, trace }: BenchOptions, noHocuspocus: string | undefined): string {
  const figures = rounds === 1 ? 'one round' : `the median of ${rounds} rounds (lowest to highest)`
  return `Each figure is ${figures}, each run in a fresh process. Base: \`bare\` forwards frames and does nothing
else; \`blob\` sends joiners one stored update. skein runs with its log on disk and acknowledges; the others
keep nothing on disk. The long text is ${trace === undefined ? 'made from a seed' : `the trace ${path.basename(trace)}`}.
${noHocuspocus === undefined ? 'hocuspocus runs without extensions; its clients frame messages in its own way.' : `Without hocuspocus: ${noHocuspocus}.`}
`
}

async function runCase(
  of: Case,
  place: string,
  rounds: number,
  takesPart: Takes,
  histories: Histories,
): Promise<Results> {
  const results = new Results()
  for (let round = 1; round <= rounds; round++) {
    for (const contender of of.contenders.filter(takesPart)) {
      console.error(`[${place}] ${of.name}: round ${round} of ${rounds}, ${contender}`)
      const arena = new Arena(contender, histories)
      try {
        results.add(contender, await inTime(of.run(arena)))
      } catch (error) {
        // One that fails, perhaps after hours of others, must not take their figures with it.
        console.error(`  ${contender} failed: ${error instanceof Error ? error.message : error}`)
        results.failed.add(contender)
      } finally {
        await arena.end()
      }
    }
  }
  return results
}

const RUN_MS_MAX = 10 * 60_000

async function inTime<T>(run: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`it took longer than ${RUN_MS_MAX / 60_000} minutes`)),
      RUN_MS_MAX,
    )
  })
  return Promise.race([run, late]).finally(() => clearTimeout(timer))
}

function plotOf(
  measured: readonly { readonly of: Case; readonly results: Results }[],
  takesPart: Takes,
): string {
  const series = MEASURED.filter(takesPart)
  const rows = measured.flatMap(({ of, results }) =>
    Object.entries(of.metrics).flatMap(([key, metric]) => {
      const ratios = new Map(series.map((name) => [name, ratioOf(metric, results.of(key), name)]))
      return metric.base === undefined ? [] : [{ name: rowName(of, metric), ratios }]
    }),
  )
  return barChart(
    'Ratio to the base, at 1 (less is better where not said otherwise, logarithmic)',
    rows,
    series,
  )
}
