import type { Agent } from './agent.js'
import type { Path } from './socket.js'
import { FAULT_KINDS, type FaultKind } from './swarm.js'
import type { MultipathWorld } from './world.js'

/** In a calm world another path has to be so long without a fault before one is put into a path. */
const CALM_MS = 5_000

/** What goes wrong, until it is told to stop. */
export class Faults {
  /** When a path's last fault was over. */
  private readonly soundSinceMs = new Map<Path, number>()
  /** The mends that are still to come. */
  private readonly mends = new Set<() => void>()

  constructor(private readonly world: MultipathWorld) {}

  begin(): void {
    const { events, random, swarm } = this.world
    for (const kind of FAULT_KINDS) {
      const everyMs = swarm.everyMs[kind]
      if (everyMs === Number.POSITIVE_INFINITY) continue
      const strike = () => {
        if (this.world.isHealing) return
        this.strike(kind)
        events.after(random.around(everyMs), strike)
      }
      events.after(random.around(everyMs), strike)
    }
  }

  /** Everything works from now on. */
  stop(): void {
    const { world } = this
    for (const mend of [...this.mends]) mend()
    world.plain?.kill(false)
    if (world.liar !== undefined && world.swarm.lies?.isForGood === false) world.liar.lies = undefined
    for (const relay of world.mesh) relay.start()
    for (const link of world.links) link.mend()
  }

  private strike(kind: FaultKind): void {
    const { world } = this
    const { random } = world
    switch (kind) {
      case 'hole':
        this.hole()
        return
      case 'break': {
        const path = this.pickPath()
        if (path !== undefined) this.breakPath(path)
        return
      }
      case 'flap': {
        const path = random.pick(world.paths)
        const times = 2 + random.below(10)
        for (let i = 0, atMs = 0; i < times; i++, atMs += random.around(300)) {
          world.events.after(atMs, () => {
            if (!world.isHealing) this.breakPath(path)
          })
        }
        return
      }
      case 'slow opening': {
        const path = random.pick(world.paths)
        path.openingMs = random.around(2_000)
        this.mendAfter(random.around(3_000), () => {
          path.openingMs = 0
        })
        return
      }
      case 'kill': {
        const relay = random.pick(world.servers)
        world.kill(relay, random.chance(0.3))
        this.mendAfter(random.around(1_000), () => relay.start())
        return
      }
      case 'link cut': {
        const link = random.pick(world.links)
        link.cut(random.chance(0.3))
        this.mendAfter(random.around(3_000), () => link.mend())
        return
      }
      case 'link hole':
        random.pick(world.links).hole(this.atMostUntilHealing(random.around(2_000)))
        return
      case 'slow disk': {
        const relay = random.pick(world.mesh)
        relay.diskFactor = random.between(10, 100)
        this.mendAfter(random.around(3_000), () => {
          relay.diskFactor = 1
        })
        return
      }
      case 'sleep': {
        const agent = random.pick(world.agents)
        agent.sleep(this.atMostUntilHealing(random.around(8_000)), random.chance(0.5))
      }
    }
  }

  private hole(): void {
    const { world } = this
    const { random, events } = world
    const path = this.pickPath()
    if (path === undefined) return
    const forMs = this.atMostUntilHealing(random.around(random.pick([500, 3_000, 20_000])))
    const way = random.pick(['up', 'down', 'both'] as const)
    world.log?.(
      `the path of agent ${path.owner + 1} to ${path.server.name} is silent ${way} for ${forMs.toFixed(0)}`,
    )
    path.hole(way, forMs)
    this.soundSinceMs.set(path, events.nowMs + forMs)
  }

  private breakPath(path: Path): void {
    const { world } = this
    const { random } = world
    // A connection that is gone is noticed at once, or much later on one side.
    const noticed = () =>
      world.swarm.isCalm || random.chance(0.8) ? random.between(0, 50) : random.around(8_000)
    world.log?.(`the connection of agent ${path.owner + 1} to ${path.server.name} breaks`)
    path.break(noticed(), noticed())
    this.soundSinceMs.set(path, world.events.nowMs)
  }

  /** Any, but in a calm world only one beside a path that has been sound and in use for a while. */
  private pickPath(): Path | undefined {
    const { world } = this
    const path = world.random.pick(world.paths)
    if (!world.swarm.isCalm) return path
    const agent = world.agents[path.owner]!
    return this.hasSoundPathBeside(agent, path) ? path : undefined
  }

  private hasSoundPathBeside({ driver }: Agent, path: Path): boolean {
    const { nowMs } = this.world.events
    return driver!.links.some((link, id) => {
      if (link.path === path || nowMs - (this.soundSinceMs.get(link.path) ?? 0) < CALM_MS) return false
      return driver!.session.describe(id)?.report?.state === 'good'
    })
  }

  private atMostUntilHealing(ms: number): number {
    const { events, swarm } = this.world
    return Math.max(0, Math.min(ms, swarm.durationMs - events.nowMs))
  }

  private mendAfter(afterMs: number, mend: () => void): void {
    const once = () => {
      if (this.mends.delete(once)) mend()
    }
    this.mends.add(once)
    this.world.events.after(afterMs, once)
  }
}
