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
export { MULTIPATH_MUTANTS, tryMultipathMutant } from './multipath/mutants.js'
export { runMultipathSeed } from './multipath/run-multipath-seed.js'
export type { SyncModule } from './multipath/sync-module.js'
export { tryMutant, type Verdict, verdictLine } from './mutants/gate.js'
export { MUTANTS, type Mutant } from './mutants/mutants.js'
export type { SeededMutant } from './mutants/try-seeds.js'
export { AlwaysRedundant, LowestRoundTrip, OneRelay, RoundRobin } from './paths/baselines.js'
export type { LineOptions } from './paths/line.js'
export { PATH_MUTANTS, type PathMutant, tryPathMutant } from './paths/mutants.js'
export { type PathSeedOptions, runPathSeed } from './paths/run-path-seed.js'
export { runScenario, type ScenarioResult } from './paths/run-scenario.js'
export { type PathFault, SCENARIOS, type Scenario } from './paths/scenarios.js'
export type { SchedulerModule } from './paths/scheduler-module.js'
export type { Strategy } from './paths/strategy.js'
export type { PaxosModule } from './paxos-module.js'
export { Random } from './random.js'
export { runSeed, type SeedResult } from './run-seed.js'
export type { WorldBugs, WorldOptions } from './world.js'
