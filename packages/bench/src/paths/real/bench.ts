import { appendFileSync, rmSync } from 'node:fs'
import type { PathsOptions } from '../options.js'
import { drawPaths } from '../plot.js'
import { measure, type RoomResult, type ScenarioMeasured } from './measure.js'
import { run } from './run.js'
import { REAL_SCENARIOS } from './scenarios.js'
import { setUp, takeDown } from './stage.js'
import { aimsOf, heading, rowsOf } from './table.js'
import type { Way } from './ways.js'

const WORLDS = 2

/**
 * Ways to use several paths, with real processes: three relays of a cluster; a writer for each way, all at the same
 * time, each in spaces of its own and over lines of its own to each relay; and a reader, directly at the third relay.
 * Where the scenario says so it is the other way round.
 */
export async function realPaths({
  over,
  worlds = WORLDS,
  seed,
  seconds,
  only,
  raw,
}: PathsOptions): Promise<void> {
  const chosen = REAL_SCENARIOS.filter(
    ({ name }) => only.length === 0 || only.some((part) => name.includes(part)),
  )
  const netem = over === 'inside'
  // Processes are ended when this one exits.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  if (raw !== undefined) rmSync(raw, { force: true })
  console.log(heading({ netem, worlds, seconds, seed }))
  const all: ScenarioMeasured[] = []
  for (const [index, scenario] of chosen.entries()) {
    console.error(`[${index + 1}/${chosen.length}] ${scenario.name}: ${seconds} s`)
    // Fresh ones each time: what came before leaves neither memory nor files behind.
    const stage = await setUp()
    try {
      const results = await run(stage, scenario, { netem, worlds, forMs: seconds * 1_000, seed })
      if (raw !== undefined) appendFileSync(raw, rawLine(scenario.name, results))
      const measured = measure(results)
      console.log(rowsOf(scenario.name, measured))
      all.push({ name: scenario.name, at: scenario.at, measured })
    } finally {
      await takeDown(stage)
    }
  }
  console.log(`\n${aimsOf(all)}`)
  const compared = all.filter(({ at }) => at === 'writer')
  const title = 'Several paths with real processes: delivery and bytes (lower is better)'
  const drawn = ['one relay', 'round robin', 'lowest round trip', 'agent'] as const
  const ways = { best: 'always redundant', single: 'one relay', drawn } as const
  console.log(
    `\nPlot: ${drawPaths<Way>(netem ? 'paths-netem.svg' : 'paths-proxy.svg', title, compared, ways)}`,
  )
}

function rawLine(scenario: string, results: ReadonlyMap<Way, readonly RoomResult[]>): string {
  return `${JSON.stringify({ scenario, ways: Object.fromEntries(results) })}\n`
}
