import type { PeerMessage } from '@skein/paxos'
import type { World } from './world.js'

/** What lies between the members: delays, loses, repeats, reorders and cuts, as the seed has chosen. */
export class Network {
  /** By link; missing where it is whole. A link can be cut several times over. */
  private readonly cuts = new Map<string, number>()
  private readonly lastArrival = new Map<string, number>()
  isPerfect = false

  constructor(private readonly world: World) {}

  send(from: string, to: string, message: PeerMessage): void {
    const { random, swarm } = this.world
    if (this.isPerfect) {
      this.deliverAfter(1, from, to, message)
      return
    }
    if (this.isCut(from, to) || random.chance(swarm.loss)) return
    this.deliverAfter(this.delay(), from, to, message)
    if (swarm.duplication > 0 && random.chance(swarm.duplication)) {
      this.deliverAfter(this.delay() + random.between(0, 50), from, to, message)
    }
  }

  /** Cuts these links, one way each, for a while. */
  cut(links: readonly (readonly [from: string, to: string])[], forMs: number): void {
    for (const [from, to] of links) this.addCut(from, to, 1)
    this.world.events.after(forMs, () => {
      for (const [from, to] of links) {
        this.addCut(from, to, -1)
        if (this.world.swarm.keepsOrder && !this.isCut(from, to)) this.world.connected(from, to)
      }
    })
  }

  healAll(): void {
    this.cuts.clear()
    this.isPerfect = true
  }

  isCut(from: string, to: string): boolean {
    return !this.isPerfect && (this.cuts.get(`${from}>${to}`) ?? 0) > 0
  }

  private addCut(from: string, to: string, change: number): void {
    const link = `${from}>${to}`
    this.cuts.set(link, Math.max(0, (this.cuts.get(link) ?? 0) + change))
  }

  private deliverAfter(delayMs: number, from: string, to: string, message: PeerMessage): void {
    const { events, swarm } = this.world
    let atMs = events.nowMs + delayMs
    if (swarm.keepsOrder) {
      const link = `${from}>${to}`
      atMs = Math.max(atMs, this.lastArrival.get(link) ?? 0)
      this.lastArrival.set(link, atMs)
    }
    events.at(atMs, () => {
      // A connection that is cut loses what is on its way.
      if (swarm.keepsOrder && this.isCut(from, to)) return
      this.world.nodes.get(to)?.receive(from, message)
    })
  }

  private delay(): number {
    const { random, swarm } = this.world
    const delayMs = swarm.delayMs * (0.5 + random.next())
    return swarm.stragglers > 0 && random.chance(swarm.stragglers) ? delayMs + random.around(500) : delayMs
  }
}
