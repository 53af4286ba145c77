import type { Configuration, Member } from '@skein/paxos'
import { Calls } from './calls.js'
import { Checks } from './checks/checks.js'
import { Clock } from './clock.js'
import { Events } from './events.js'
import { Network } from './network.js'
import { Node } from './node.js'
import { Operator } from './operator.js'
import type { PaxosModule } from './paxos-module.js'
import { Random } from './random.js'
import { chooseSwarm, type Swarm } from './swarm.js'

export interface WorldOptions {
  readonly seed: number
  readonly paxos: PaxosModule
  /** Mistakes of a driver, to see that they are found. */
  readonly bugs?: WorldBugs
  /** Takes the log line by line. */
  readonly log?: (line: string) => void
}

export interface WorldBugs {
  /** A start does not raise the incarnation. */
  readonly reusesIncarnation?: boolean
  /** A member that has lost its disk goes on under its name. */
  readonly rejoinsBlank?: boolean
  /** A challenger takes a lease over before its term has surely ended. */
  readonly takesLeaseEarly?: boolean
}

/** Members, their network, disks and clocks, and clients: all that a seed is made of. */
export class World {
  readonly random: Random
  readonly events = new Events()
  readonly swarm: Swarm
  readonly paxos: PaxosModule
  readonly bugs: WorldBugs
  readonly log: ((line: string) => void) | undefined
  readonly checks = new Checks()
  readonly network = new Network(this)
  readonly calls = new Calls(this)
  readonly operator = new Operator(this)
  readonly nodes = new Map<string, Node>()
  readonly keys: readonly string[]
  /** That clients have begun and not ended. */
  operationsOpen = 0
  private readonly first: Configuration
  private lastInstant = 0

  constructor({ seed, paxos, bugs = {}, log }: WorldOptions) {
    this.random = new Random(seed)
    this.swarm = chooseSwarm(this.random)
    this.paxos = paxos
    this.bugs = bugs
    this.log = log && ((line) => log(`${this.events.nowMs.toFixed(3)} ${line}`))
    this.log?.(
      `seed ${seed} ${JSON.stringify(this.swarm, (_, value) => (value === Infinity ? 'never' : value))}`,
    )
    // Small limits are reached by few operations. The same for all members, as in one release.
    Object.assign(paxos.PAXOS_LIMITS, this.swarm.limits)
    this.keys = ['a', 'b', 'c'].slice(0, this.swarm.keys)
    const members = Array.from({ length: this.swarm.members }, () => this.newMember())
    this.first = { epoch: 1, members }
    for (const member of members) this.addNode(member)
  }

  /** A number that rises with everything that clients begin and end. */
  instant(): number {
    return ++this.lastInstant
  }

  /** The highest configuration on any disk; what an operator would find out by asking everyone. */
  get configuration(): Configuration {
    let highest = this.first
    for (const { disk } of this.nodes.values()) {
      if (disk.configuration.epoch > highest.epoch) highest = disk.configuration
    }
    return highest
  }

  upNodes(): Node[] {
    return [...this.nodes.values()].filter(({ isUp }) => isUp)
  }

  newMember(): Member {
    const id = String.fromCharCode(65 + this.memberCount)
    this.memberCount++
    return { id, store: `${id}${this.random.below(1000)}` }
  }

  /** Starts a member on an empty disk. It comes with the first configuration or with the newest. */
  addNode(member: Member): void {
    const { random, swarm } = this
    const rate = 1 + random.between(-swarm.drift, swarm.drift)
    const configuration = random.chance(0.5) ? this.configuration : this.first
    const node = new Node(this, member, configuration, new Clock(rate, random.between(0, 1_000)))
    this.nodes.set(member.id, node)
    node.start()
  }

  started(node: Node): void {
    if (this.swarm.hasWatches) for (const key of this.keys) node.watch(key)
    if (!this.swarm.keepsOrder) return
    for (const { id } of this.nodes.values()) if (id !== node.id) this.connected(node.id, id)
  }

  ended(node: Node): void {
    this.calls.broken(node)
  }

  /** Two members have a connection again. */
  connected(a: string, b: string): void {
    this.events.after(this.swarm.delayMs, () => {
      this.nodes.get(a)?.connected(b)
      this.nodes.get(b)?.connected(a)
    })
  }

  private memberCount = 0
}
