import type * as Y from 'yjs'
import type { Agent } from './agent.js'
import type { MultipathWorld } from './world.js'

const KEYS = 6
/** Over what goes as bulk, and over what goes in chunks. */
const BULK_BYTES = [70 * 1024, 300 * 1024] as const
const BURST_EDITS_MAX = 400

/** What agents do while there are faults. */
export class Workload {
  constructor(private readonly world: MultipathWorld) {}

  begin(): void {
    const { world } = this
    const { swarm, random, events } = world
    for (const agent of world.agents) {
      const edit = () => {
        if (world.isHealing) return
        if (agent.awake) this.edit(agent)
        events.after(random.around(swarm.editEveryMs), edit)
      }
      if (agent.index < swarm.writers) events.after(random.around(swarm.editEveryMs), edit)
      const show = () => {
        if (world.isHealing) return
        if (agent.awake) agent.presence.set(random.below(1_000))
        events.after(random.around(swarm.presenceEveryMs), show)
      }
      events.after(random.around(swarm.presenceEveryMs), show)
    }
  }

  private edit(agent: Agent): void {
    const { random, swarm } = this.world
    if (random.chance(swarm.burst)) {
      const count = 1 + random.below(BURST_EDITS_MAX)
      for (let i = 0; i < count; i++) agent.edit((state) => this.write(state))
    } else if (random.chance(swarm.bulk)) {
      const bytes = new Uint8Array(random.pick(BULK_BYTES))
      agent.edit((state) => void state.set('bulk', bytes))
    } else agent.edit((state) => this.write(state))
    if (random.chance(swarm.hurry)) agent.driver!.hurry()
  }

  private write(state: Y.Map<unknown>): void {
    const { random } = this.world
    const key = `k${random.below(KEYS)}`
    if (random.chance(0.2) && state.has(key)) state.delete(key)
    else state.set(key, random.below(1_000))
  }
}
