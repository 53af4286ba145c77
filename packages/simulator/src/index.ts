/** A world of faults for the strong region, and the checks that are made in it. Rules: ../paxos/SPEC.md. */
export {
  checkLinearizable,
  type HistoryCall,
  type HistoryCondition,
  type HistoryOperation,
  type HistoryResult,
} from './checks/linearizable.js'
export type { PaxosModule } from './paxos-module.js'
export { runSeed, type SeedResult } from './run-seed.js'
export type { WorldBugs, WorldOptions } from './world.js'
