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
import type { PathsOptions } from './options.js'
import { drawPaths } from './plot.js'
import { quantile } from './quantile.js'

const STRATEGIES = {
  'one relay': () => new OneRelay(),
  'round robin': () => new RoundRobin(),
  'lowest round trip': () => new LowestRoundTrip(),
  'always redundant': () => new AlwaysRedundant(),
  skein: () => new PathScheduler(),
} satisfies Record<string, () => Strategy>

type Name = keyof typeof STRATEGIES
const NAMES = Object.keys(STRATEGIES) as Name[]
const DRAWN = ['one relay', 'round robin', 'lowest round trip', 'skein'] as const
const WORLDS = 20

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
export function simulatedPaths({ worlds = WORLDS, seed, only }: PathsOptions): void {
  console.log(`Virtual time, simulated lines: ${worlds} worlds of a minute for each scenario, from seed ${seed} on. Milliseconds from
handing a message over to its first arrival; the gap is how late the latest message of the second after a fault
was, at the 95th percentile of all faults. Bytes on all lines both ways, beside those of one relay.

| scenario | way | p50 | p99 | gap p95 | bytes | lost | switches per 10 s |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |`)
  const chosen = SCENARIOS.filter(({ name }) => only.length === 0 || only.some((part) => name.includes(part)))
  const all = chosen.map((scenario, index) => {
    console.error(`[${index + 1}/${chosen.length}] ${scenario.name}`)
    const measured = new Map(NAMES.map((name) => [name, measure(scenario, name, worlds, seed)]))
    for (const name of NAMES) console.log(rowOf(scenario, name, measured))
    return { name: scenario.name, measured }
  })
  const title = 'Several paths: delivery and bytes (lower is better)'
  const ways = { best: 'always redundant', single: 'one relay', drawn: DRAWN } as const
  console.log(`\nPlot: ${drawPaths<Name>('paths.svg', title, all, ways)}`)
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
