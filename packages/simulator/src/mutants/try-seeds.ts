import type { SeedResult } from '../run-seed.js'
import type { Verdict } from './gate.js'
import type { Patch } from './load-mutant.js'

/** A bug in something of which seeds are worlds. */
export interface SeededMutant {
  readonly name: string
  readonly patch: Patch
  /** Worlds that are known to show it, tried first. */
  readonly seeds?: readonly number[]
}

/** Runs worlds until a check finds the bug. */
export function trySeeds(
  { name, seeds: known = [] }: SeededMutant,
  seedsMax: number,
  run: (seed: number) => SeedResult,
): Verdict {
  const startMs = performance.now()
  const verdict = (killedBy: string | undefined, seeds: number): Verdict => ({
    mutant: name,
    killedBy,
    seeds,
    ms: performance.now() - startMs,
  })
  const seeds = [...known, ...Array.from({ length: seedsMax }, (_, index) => index + 1)]
  for (const [index, seed] of seeds.entries()) {
    const { violation } = run(seed)
    if (violation !== undefined) return verdict(violation.check, index + 1)
  }
  return verdict(undefined, seedsMax)
}
