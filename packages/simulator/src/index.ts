/** A world of faults for the strong region, and the checks that are made in it. Rules: ../paxos/SPEC.md. */
export {
  checkLinearizable,
  type HistoryCall,
  type HistoryCondition,
  type HistoryOperation,
  type HistoryResult,
} from './checks/linearizable.js'
export { type Exploration, explore, type Scope } from './explorer/explore.js'
export { SCOPES } from './explorer/scopes.js'
export { tryMutant, type Verdict, verdictLine } from './mutants/gate.js'
export { MUTANTS, type Mutant } from './mutants/mutants.js'
export type { PaxosModule } from './paxos-module.js'
export { runSeed, type SeedResult } from './run-seed.js'
export type { WorldBugs, WorldOptions } from './world.js'
