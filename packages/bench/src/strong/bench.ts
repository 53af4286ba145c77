import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Results } from '../relay/results.js'
import { barChart } from '../svg.js'
import { COMPARED, type StrongCase, type StrongContender } from './case.js'
import { strongCasesNamed } from './cases.js'
import { measureLimits } from './limits.js'
import { parseStrongOptions, type StrongOptions } from './options.js'
import { etcdVersion, startEtcd, whyNoEtcd } from './stores/etcd.js'
import { startSkein } from './stores/skein.js'
import type { Store } from './stores/store.js'
import { caseRows, limitsTable, metricName, ratioOf, tableHeader } from './table.js'

const STARTERS: Record<StrongContender, () => Promise<Store>> = {
  etcd: () => startEtcd(false),
  'etcd-else': () => startEtcd(true),
  skein: startSkein,
}

/**
 * Measures the strong region beside etcd: each run on three fresh processes and directories, the contenders
 * in turn, in rounds. The tables go to standard output as they grow, progress to standard error.
 */
export async function strongBench(args: readonly string[]): Promise<void> {
  const options = parseStrongOptions(args)
  const cases = strongCasesNamed(options.only)
  const noEtcd = whyNoEtcd()
  console.log(introduction(options, noEtcd))
  console.log(limitsTable(await measureLimits(options.seconds)))
  console.log(tableHeader())
  const measured: { readonly of: StrongCase; readonly results: Results<StrongContender> }[] = []
  for (const [i, of] of cases.entries()) {
    const contenders = of.contenders.filter((name) => name === 'skein' || noEtcd === undefined)
    const results = await runCase(of, `${i + 1}/${cases.length}`, contenders, options)
    console.log(caseRows(of, results))
    measured.push({ of, results })
  }
  const plot = path.resolve('bench-results/strong.svg')
  mkdirSync(path.dirname(plot), { recursive: true })
  writeFileSync(plot, plotOf(measured))
  console.log(`\nPlot: ${plot}`)
  if (measured.some(({ results }) => results.failed.size > 0)) process.exitCode = 1
}

function introduction({ rounds, seconds }: StrongOptions, noEtcd: string | undefined): string {
  const figures = rounds === 1 ? 'one round' : `the median of ${rounds} rounds (lowest to highest)`
  return `Each figure is ${figures} of ${seconds} s, each on three fresh processes with directories on one disk;
both flush before they answer, clients have a connection each and use one client code over HTTP.
${noEtcd === undefined ? `etcd ${etcdVersion()} is asked at its leader through the JSON gateway.` : `Without etcd: ${noEtcd}.`}
`
}

async function runCase(
  of: StrongCase,
  place: string,
  contenders: readonly StrongContender[],
  { rounds, seconds }: StrongOptions,
): Promise<Results<StrongContender>> {
  const results = new Results<StrongContender>()
  for (let round = 1; round <= rounds; round++) {
    for (const contender of contenders) {
      console.error(`[${place}] ${of.name}: round ${round} of ${rounds}, ${contender}`)
      try {
        const store = await STARTERS[contender]()
        try {
          results.add(contender, await of.run(store, seconds * 1_000))
        } finally {
          await store.stop()
        }
      } catch (error) {
        console.error(`  ${contender} failed: ${error instanceof Error ? error.message : error}`)
        results.failed.add(contender)
      }
    }
  }
  return results
}

function plotOf(
  measured: readonly { readonly of: StrongCase; readonly results: Results<StrongContender> }[],
): string {
  const rows = measured.flatMap(({ of, results }) =>
    Object.entries(of.metrics).map(([key, metric]) => ({
      name: metricName(of, metric),
      ratios: new Map(COMPARED.map((name) => [name, ratioOf(results.of(key), name)])),
    })),
  )
  return barChart(
    'Ratio to etcd, at 1 (less is better where not said otherwise, logarithmic)',
    rows,
    COMPARED,
  )
}
