import { explore } from '../explorer/explore.js'
import { SCOPES } from '../explorer/scopes.js'
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

/** Runs worlds with the bug in them until a check finds it, and then what the explorer reaches. */
export async function tryMutant(mutant: Mutant, seedsMax: number): Promise<Verdict> {
  const paxos = await loadMutant(mutant)
  const startMs = performance.now()
  const kill = (killedBy: string, seeds: number): Verdict => ({
    mutant: mutant.name,
    killedBy,
    seeds,
    ms: performance.now() - startMs,
  })
  let tried = 0
  for (const seed of seedsOf(mutant, seedsMax)) {
    tried++
    const { violation } = runSeed({
      seed,
      paxos,
      ...(mutant.bugs === undefined ? {} : { bugs: mutant.bugs }),
    })
    if (violation === undefined) continue
    return kill(violation.check, tried)
  }
  for (const scope of mutant.patch === undefined ? [] : SCOPES) {
    const { violation } = explore(paxos, scope)
    if (violation !== undefined) return kill(violation.check, seedsMax)
  }
  return { mutant: mutant.name, killedBy: undefined, seeds: seedsMax, ms: performance.now() - startMs }
}

function* seedsOf({ seeds = [] }: Mutant, count: number): Generator<number> {
  yield* seeds
  for (let seed = 1; seed <= count; seed++) yield seed
}

export function verdictLine({ mutant, killedBy, seeds, ms }: Verdict): string {
  const how = killedBy === undefined ? 'SURVIVED' : killedBy
  return `${mutant.padEnd(44)}${how.padEnd(30)}${String(seeds).padStart(6)} seeds ${(ms / 1_000).toFixed(1).padStart(6)} s`
}
