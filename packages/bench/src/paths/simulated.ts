import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import {
  AlwaysRedundant,
  LowestRoundTrip,
  OneRelay,
  RoundRobin,
  runScenario,
  SCENARIOS,
  type Scenario,
  type Strategy,
} from '@skein/simulator'
import { PathScheduler } from '@skein/sync'
import { barChart } from '../svg.js'

export const PATHS_USAGE = '--worlds N (default 20) of each scenario, --seed N (default 1)'

const STRATEGIES = {
  'one relay': () => new OneRelay(),
  'round robin': () => new RoundRobin(),
  'lowest round trip': () => new LowestRoundTrip(),
  'always redundant': () => new AlwaysRedundant(),
  skein: () => new PathScheduler(),
} satisfies Record<string, () => Strategy>

type Name = keyof typeof STRATEGIES
const NAMES = Object.keys(STRATEGIES) as Name[]
/** What p99 is compared with is the best that can be had, at twice the bytes. */
const DRAWN: readonly Name[] = ['one relay', 'round robin', 'lowest round trip', 'skein']

interface Measured {
  readonly p50: number
  readonly p99: number
  readonly gapP95: number | undefined
  readonly lost: number
  readonly bytes: number
  readonly switchesPer10s: number
}

/**
 * Ways to use several paths, in virtual time over simulated lines: the same messages and the same faults for each.
 */
export async function pathsBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { worlds: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
  })
  const [worlds, seed] = [Number(values.worlds), Number(values.seed)]
  if (!Number.isSafeInteger(worlds) || worlds < 1 || !Number.isSafeInteger(seed)) throw new Error(PATHS_USAGE)
  console.log(`Virtual time, simulated lines: ${worlds} worlds of a minute for each scenario, from seed ${seed} on. Milliseconds from
handing a message over to its first arrival; the gap is how late the latest message of the second after a fault
was, at the 95th percentile of all faults. Bytes on all lines both ways, beside those of one relay.

| scenario | way | p50 | p99 | gap p95 | bytes | lost | switches per 10 s |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |`)
  const all = SCENARIOS.map((scenario, index) => {
    console.error(`[${index + 1}/${SCENARIOS.length}] ${scenario.name}`)
    const measured = new Map(NAMES.map((name) => [name, measure(scenario, name, worlds, seed)]))
    for (const name of NAMES) console.log(rowOf(scenario, name, measured))
    return { scenario, measured }
  })
  const plot = path.resolve('bench-results/paths.svg')
  mkdirSync(path.dirname(plot), { recursive: true })
  writeFileSync(plot, plotOf(all))
  console.log(`\nPlot: ${plot}`)
}

function measure(scenario: Scenario, name: Name, worlds: number, seed: number): Measured {
  const results = Array.from({ length: worlds }, (_, world) =>
    runScenario(scenario, STRATEGIES[name](), seed + 2 * world),
  )
  const deliveries = results.flatMap((result) => result.deliveries).sort((a, b) => a - b)
  const gaps = results.flatMap((result) => result.gaps).sort((a, b) => a - b)
  const sum = (of: (result: (typeof results)[number]) => number) =>
    results.reduce((total, result) => total + of(result), 0)
  return {
    p50: quantile(deliveries, 0.5)!,
    p99: quantile(deliveries, 0.99)!,
    gapP95: quantile(gaps, 0.95),
    lost: sum(({ lost }) => lost),
    bytes: sum(({ bytes }) => bytes),
    switchesPer10s: (10 * sum(({ switches }) => switches)) / sum(({ seconds }) => seconds),
  }
}

function rowOf({ name: scenario }: Scenario, name: Name, measured: ReadonlyMap<Name, Measured>): string {
  const { p50, p99, gapP95, lost, bytes, switchesPer10s } = measured.get(name)!
  const ratio = bytes / measured.get('one relay')!.bytes
  const gap = gapP95 === undefined ? '-' : gapP95.toFixed(0)
  const switches = name === 'skein' ? switchesPer10s.toFixed(2) : '-'
  return `| ${scenario} | ${name} | ${p50.toFixed(0)} | ${p99.toFixed(0)} | ${gap} | ${ratio.toFixed(2)} | ${lost} | ${switches} |`
}

function plotOf(
  all: readonly { readonly scenario: Scenario; readonly measured: ReadonlyMap<Name, Measured> }[],
): string {
  const rows = all.flatMap(({ scenario, measured }) => {
    const best = measured.get('always redundant')!
    const single = measured.get('one relay')!
    const ratios = (of: (measured: Measured) => number) =>
      new Map(DRAWN.map((name) => [name, of(measured.get(name)!)]))
    return [
      { name: `${scenario.name}: p99 / always redundant`, ratios: ratios(({ p99 }) => p99 / best.p99) },
      { name: `${scenario.name}: bytes / one relay`, ratios: ratios(({ bytes }) => bytes / single.bytes) },
    ]
  })
  return barChart('Several paths: delivery and bytes (lower is better)', rows, DRAWN)
}

function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
}
