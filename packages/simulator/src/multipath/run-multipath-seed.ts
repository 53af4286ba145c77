import { Violation } from '../checks/violation.js'
import type { SeedResult } from '../run-seed.js'
import { Faults } from './faults.js'
import { Healing } from './healing.js'
import { Workload } from './workload.js'
import { MultipathWorld, type MultipathWorldOptions } from './world.js'

const STEPS_MAX = 300_000

/** Agents, relays and faults of any kind, and then a time without. */
export function runMultipathSeed(options: MultipathWorldOptions): SeedResult {
  let world: MultipathWorld | undefined
  const result = (violation: SeedResult['violation']): SeedResult => ({
    operations: world?.edits ?? 0,
    messages: world?.messages ?? 0,
    violation,
  })
  try {
    world = new MultipathWorld(options)
    const faults = new Faults(world)
    faults.begin()
    new Workload(world).begin()
    let steps = 0
    const runUntil = (untilMs: number) => {
      while (world!.events.step(untilMs)) {
        if (++steps > STEPS_MAX) throw new Violation('ends', `${steps} steps in ${world!.events.nowMs} ms`)
      }
    }
    runUntil(world.swarm.durationMs)
    world.log?.('everything works again')
    world.isHealing = true
    faults.stop()
    new Healing(world, runUntil).require()
    return result(undefined)
  } catch (error) {
    const check = error instanceof Violation ? error.check : 'no exception'
    const message = error instanceof Violation ? error.message : String((error as Error).stack)
    world?.log?.(`violation of ${check}: ${message}`)
    return result({ check, message })
  }
}
