import { runSeed } from '../run-seed.js'
import { loadMutant } from './load-mutant.js'
import type { Mutant } from './mutants.js'

export interface Verdict {
  readonly mutant: string
  /** Undefined: it survived. */
  readonly killedBy: string | undefined
  readonly seeds: number
  readonly ms: number
}

/** Runs worlds with the bug in them until a check finds it. */
export async function tryMutant(mutant: Mutant, seedsMax: number): Promise<Verdict> {
  const paxos = await loadMutant(mutant)
  const startMs = performance.now()
  for (let seed = 1; seed <= seedsMax; seed++) {
    const { violation } = runSeed({
      seed,
      paxos,
      ...(mutant.bugs === undefined ? {} : { bugs: mutant.bugs }),
    })
    if (violation === undefined) continue
    return { mutant: mutant.name, killedBy: violation.check, seeds: seed, ms: performance.now() - startMs }
  }
  return { mutant: mutant.name, killedBy: undefined, seeds: seedsMax, ms: performance.now() - startMs }
}

export function verdictLine({ mutant, killedBy, seeds, ms }: Verdict): string {
  const how = killedBy === undefined ? 'SURVIVED' : killedBy
  return `${mutant.padEnd(44)}${how.padEnd(30)}${String(seeds).padStart(6)} seeds ${(ms / 1_000).toFixed(1).padStart(6)} s`
}
