import { checkLinearizable, type HistoryOperation } from './checks/linearizable.js'
import { Violation } from './checks/violation.js'
import { Faults } from './faults.js'
import { Lease } from './lease.js'
import { Progress } from './progress.js'
import { Worker } from './workload.js'
import { World, type WorldOptions } from './world.js'

export interface SeedResult {
  readonly operations: number
  /** Where they are counted. */
  readonly messages?: number
  /** Undefined: every rule was kept. */
  readonly violation: { readonly check: string; readonly message: string } | undefined
}

/** Runs one world from its beginning to its end. */
export function runSeed(options: WorldOptions): SeedResult {
  let workers: Worker[] = []
  let leases: Lease | undefined
  const count = () => workers.reduce((sum, { operations }) => sum + operations, leases?.operations ?? 0)
  try {
    const world = new World(options)
    workers = Array.from({ length: world.swarm.clients }, (_, index) => new Worker(world, `c${index}`))
    leases = new Lease(world, world.swarm.contenders)
    runUnderFaults(world, workers, leases)
    new Progress(world, workers).require()
    for (const key of [...world.keys, leases.key]) {
      checkHistory(
        key,
        [...workers.map(({ client }) => client), ...leases.clients].flatMap(
          (client) => client.history.get(key) ?? [],
        ),
      )
    }
    return { operations: count(), violation: undefined }
  } catch (error) {
    const check = error instanceof Violation ? error.check : 'no exception'
    const message = error instanceof Violation ? error.message : String((error as Error).stack)
    options.log?.(`violation of ${check}: ${message}`)
    return { operations: count(), violation: { check, message } }
  }
}

function runUnderFaults(world: World, workers: readonly Worker[], leases: Lease): void {
  const faults = new Faults(world)
  faults.begin()
  for (const worker of workers) worker.begin()
  leases.begin()
  while (world.events.step(world.swarm.durationMs));
  faults.stop()
  leases.stop()
  for (const worker of workers) worker.stop()
}

function checkHistory(key: string, history: readonly HistoryOperation[]): void {
  if (checkLinearizable(history)) return
  const lines = history.map((operation) => JSON.stringify(operation))
  throw new Violation('linearizable', `no order explains ${key}:\n${lines.join('\n')}`)
}
