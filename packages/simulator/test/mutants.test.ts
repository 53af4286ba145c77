import { MUTANTS, tryMutant, type Verdict, verdictLine } from '@skein/simulator'
import { afterAll, expect, test } from 'vitest'

const SEEDS_MAX = 1_000
const verdicts: Verdict[] = []

afterAll(() => console.log(verdicts.map(verdictLine).join('\n')))

test.each(MUTANTS)('$name is found', { timeout: 120_000 }, async (mutant) => {
  const verdict = await tryMutant(mutant, SEEDS_MAX)
  verdicts.push(verdict)
  expect(verdict.killedBy).toBeDefined()
})

test('a mutant of other code than this is stale', async () => {
  const stale = { name: 'stale', patch: { file: 'ballot.js', find: 'no such text', replace: '' } }
  await expect(tryMutant(stale, 1)).rejects.toThrow('occurs 0 times')
})
