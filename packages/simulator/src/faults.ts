import type { Node } from './node.js'
import { FAULT_KINDS, type FaultKind } from './swarm.js'
import type { World } from './world.js'

/** Brings the faults that the seed has chosen, until it is told to stop. */
export class Faults {
  private isStopped = false

  constructor(private readonly world: World) {}

  begin(): void {
    for (const kind of FAULT_KINDS) this.next(kind)
  }

  stop(): void {
    this.isStopped = true
  }

  private next(kind: FaultKind): void {
    const { random, swarm, events } = this.world
    const everyMs = swarm.everyMs[kind]
    if (everyMs === Number.POSITIVE_INFINITY) return
    events.after(random.around(everyMs), () => {
      if (this.isStopped) return
      this.bring(kind)
      this.next(kind)
    })
  }

  private bring(kind: FaultKind): void {
    const { random, events, network, swarm, operator } = this.world
    const up = this.world.upNodes()
    if (up.length === 0) return
    const node = random.pick(up)
    const forMs = random.around(300)
    switch (kind) {
      case 'crash':
        node.crash('killed')
        events.after(forMs, () => node.start())
        break
      case 'pause':
        node.pause(forMs)
        break
      case 'partition':
        network.cut(this.partition(), forMs * 2)
        break
      case 'one-way cut':
        network.cut([[node.id, random.pick([...this.world.nodes.keys()])]], forMs * 2)
        break
      case 'clock jump':
        node.jumpClock(random.between(-2_000, 5_000), 1 + random.between(-swarm.drift, swarm.drift))
        break
      case 'full disk':
        node.disk.isFull = true
        events.after(forMs, () => {
          node.disk.isFull = false
          node.start()
        })
        break
      case 'blank disk':
        this.blank(node)
        break
      case 'membership change':
        operator.begin()
        break
    }
  }

  private partition(): (readonly [string, string])[] {
    const { random, nodes } = this.world
    const ids = [...nodes.keys()]
    const side = new Set(ids.filter(() => random.chance(0.5)))
    return ids.flatMap((a) => ids.filter((b) => side.has(a) !== side.has(b)).map((b) => [a, b] as const))
  }

  /** Loses a disk for good, where the others are enough to replace its member. */
  private blank(node: Node): void {
    const { operator, nodes, configuration, events, random } = this.world
    const isMember = configuration.members.some(({ id }) => id === node.id)
    const lost = configuration.members.filter(({ id }) => nodes.get(id)!.isBlank)
    if (!isMember || operator.isChanging || configuration.next !== undefined) return
    if (lost.length > 0 || configuration.members.length < 3) return
    node.crash('its disk is lost')
    node.lose()
    node.start()
    events.after(random.around(200), () => operator.begin())
  }
}
