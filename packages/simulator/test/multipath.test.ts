import {
  MULTIPATH_MUTANTS,
  runMultipathSeed,
  tryMultipathMutant,
  type Verdict,
  verdictLine,
} from '@skein/simulator'
import * as sync from '@skein/sync'
import { afterAll, describe, expect, test } from 'vitest'

const FROM = Number(process.env.SKEIN_SEED ?? 1)
const SEEDS = Number(process.env.SKEIN_RUNS ?? 120)
const MUTANT_SEEDS_MAX = 300
const limits = { ...sync.MULTIPATH_LIMITS }

afterAll(() => {
  Object.assign(sync.MULTIPATH_LIMITS, limits)
})

test(`worlds of agents with several relays from seed ${FROM} on`, { timeout: 120_000 }, () => {
  let edits = 0
  for (let seed = FROM; seed < FROM + SEEDS; seed++) {
    const { violation, operations } = runMultipathSeed({ seed, sync })
    edits += operations
    const command = `npx -y pnpm@12 simulate --world multipath --from ${seed} --seeds 1 --log`
    expect(violation, `seed ${seed}; ${command}`).toBeUndefined()
  }
  expect(edits).toBeGreaterThan(SEEDS)
})

test('S1 one seed gives one log, byte for byte', () => {
  const logOf = (seed: number) => {
    const lines: string[] = []
    runMultipathSeed({ seed, sync, log: (line) => lines.push(line) })
    return lines.join('\n')
  }
  for (let seed = FROM; seed < FROM + 5; seed++) expect(logOf(seed)).toBe(logOf(seed))
  expect(logOf(FROM)).not.toBe(logOf(FROM + 1))
})

describe('bugs put in on purpose', () => {
  const verdicts: Verdict[] = []
  afterAll(() => console.log(verdicts.map(verdictLine).join('\n')))

  test.each(MULTIPATH_MUTANTS)('$name is found', { timeout: 120_000 }, async (mutant) => {
    const verdict = await tryMultipathMutant(mutant, MUTANT_SEEDS_MAX)
    verdicts.push(verdict)
    expect(verdict.killedBy).toBeDefined()
  })
})
