import {
  AlwaysRedundant,
  OneRelay,
  PATH_MUTANTS,
  runPathSeed,
  runScenario,
  SCENARIOS,
  type ScenarioResult,
  type Strategy,
  tryPathMutant,
  type Verdict,
  verdictLine,
} from '@skein/simulator'
import * as sync from '@skein/sync'
import { afterAll, describe, expect, test } from 'vitest'

const FROM = Number(process.env.SKEIN_SEED ?? 1)
const SEEDS = 300
const MUTANT_SEEDS_MAX = 300

test(`worlds of paths from seed ${FROM} on`, { timeout: 120_000 }, () => {
  for (let seed = FROM; seed < FROM + SEEDS; seed++) {
    const { violation } = runPathSeed({ seed, scheduler: sync })
    const command = `npx -y pnpm@12 simulate --world paths --from ${seed} --seeds 1 --log`
    expect(violation, `seed ${seed}; ${command}`).toBeUndefined()
  }
})

test('S1 one seed gives one log, byte for byte', () => {
  const logOf = (seed: number) => {
    const lines: string[] = []
    runPathSeed({ seed, scheduler: sync, log: (line) => lines.push(line) })
    return lines.join('\n')
  }
  for (let seed = FROM; seed < FROM + 10; seed++) expect(logOf(seed)).toBe(logOf(seed))
  expect(logOf(FROM)).not.toBe(logOf(FROM + 1))
})

describe('bugs put in on purpose', () => {
  const verdicts: Verdict[] = []
  afterAll(() => console.log(verdicts.map(verdictLine).join('\n')))

  test.each(PATH_MUTANTS)('$name is found', { timeout: 120_000 }, async (mutant) => {
    const verdict = await tryPathMutant(mutant, MUTANT_SEEDS_MAX)
    verdicts.push(verdict)
    expect(verdict.killedBy).toBeDefined()
  })
})

describe('aims, in virtual time', () => {
  const run = (name: string, strategy: () => Strategy): ScenarioResult[] => {
    const scenario = SCENARIOS.find((known) => known.name === name)!
    return [1, 2, 3].map((seed) => runScenario(scenario, strategy(), seed))
  }
  const ours = () => new sync.PathScheduler()
  const p95 = (results: readonly ScenarioResult[]) => {
    const gaps = results.flatMap(({ gaps }) => gaps).sort((a, b) => a - b)
    return gaps[Math.floor(0.95 * gaps.length)]!
  }

  test.each(SCENARIOS)('nothing is lost: $name', ({ name }) => {
    for (const { lost, deliveries } of run(name, ours)) {
      expect(lost).toBe(0)
      expect(deliveries.length).toBeGreaterThan(500)
    }
  })

  test('a closed socket costs at most 100 ms', () => {
    for (const { gaps } of run('a socket closes', ours)) expect(Math.max(...gaps)).toBeLessThan(100)
  })

  test.each(['silent both ways', 'silent on the way there'])('%s: at most 500 ms at p95', (name) => {
    expect(p95(run(name, ours))).toBeLessThan(500)
    // The hole is one.
    expect(p95(run(name, () => new OneRelay()))).toBeGreaterThan(2_000)
  })

  test('less than one switch per 10 s with 30 % jitter', () => {
    for (const { switches, seconds } of run('30 % jitter', ours)) expect(switches).toBeLessThan(seconds / 10)
  })

  test.each(['two steady paths', '30 % jitter'])(
    '%s: p99 as always redundant, at 1.1 times the bytes',
    (name) => {
      const redundant = run(name, () => new AlwaysRedundant())
      const single = run(name, () => new OneRelay())
      const p99 = ({ deliveries }: ScenarioResult) => deliveries[Math.floor(0.99 * deliveries.length)]!
      for (const [index, result] of run(name, ours).entries()) {
        expect(p99(result)).toBeLessThan(1.1 * p99(redundant[index]!))
        expect(result.bytes).toBeLessThan(1.1 * single[index]!.bytes)
      }
    },
  )
})
