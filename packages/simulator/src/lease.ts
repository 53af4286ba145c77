import { LeaseCheck } from './checks/lease-check.js'
import { Client, type Ending } from './client.js'
import { Clock } from './clock.js'
import type { World } from './world.js'

const TTL_MS = 300

/** Some who contend for one lease, and the resource that it is for. */
export class Lease {
  readonly key = 'lease'
  readonly check = new LeaseCheck()
  readonly contenders: readonly Contender[]

  constructor(world: World, count: number) {
    this.contenders = Array.from({ length: count }, (_, index) => new Contender(world, this, `l${index}`))
  }

  get operations(): number {
    return this.contenders.reduce((sum, { operations }) => sum + operations, 0)
  }

  get clients(): readonly Client[] {
    return this.contenders.map(({ client }) => client)
  }

  begin(): void {
    for (const contender of this.contenders) contender.begin()
  }

  stop(): void {
    for (const contender of this.contenders) contender.isStopped = true
  }
}

interface Seen {
  readonly version: number
  /** On the contender's own clock. */
  readonly sinceMs: number
}

/**
 * Holds the lease or waits for it. The term counts from before the holder sent, and a challenger has to see
 * one version for the whole term and what two clocks can differ by.
 */
class Contender {
  readonly client: Client
  operations = 0
  isStopped = false
  private readonly clock: Clock
  private seen: Seen | undefined
  private fence: number | undefined

  constructor(
    private readonly world: World,
    private readonly lease: Lease,
    name: string,
  ) {
    const { drift } = world.swarm
    this.client = new Client(world, name)
    this.clock = new Clock(1 + world.random.between(-drift, drift), world.random.between(0, 1_000))
  }

  begin(): void {
    const { random, events } = this.world
    events.after(random.between(0, TTL_MS / 3), () => this.turn())
  }

  private get localMs(): number {
    return this.clock.at(this.world.events.nowMs)
  }

  private turn(): void {
    if (this.isStopped) return
    this.operations++
    if (this.fence !== undefined) this.renew(this.fence)
    else this.client.perform(this.lease.key, { kind: 'read' }, 1, (ending) => this.saw(ending))
  }

  private saw(ending: Ending): void {
    if (ending?.kind !== 'value') {
      this.begin()
      return
    }
    const { version, value } = ending
    if (this.seen?.version !== version) this.seen = { version, sinceMs: this.localMs }
    const { drift } = this.world.swarm
    const isEarly = this.world.bugs.takesLeaseEarly === true
    const termMs = isEarly ? TTL_MS / 2 : (TTL_MS * (1 + drift)) / (1 - drift)
    if (value === undefined || this.localMs - this.seen.sinceMs >= termMs) this.take(version)
    else this.begin()
  }

  private take(version: number): void {
    const sentMs = this.localMs
    const condition = { kind: 'version', version } as const
    const wish = { kind: 'write', data: this.client.name, condition, keepsFence: false } as const
    this.client.perform(this.lease.key, wish, 1, (ending) => {
      if (ending?.kind === 'done') {
        this.fence = ending.fence
        this.lease.check.taken(this.client.name, ending.version, ending.fence)
        this.hold(sentMs)
      }
      this.begin()
    })
  }

  private renew(fence: number): void {
    const sentMs = this.localMs
    const condition = { kind: 'fence', fence } as const
    const wish = { kind: 'write', data: this.client.name, condition, keepsFence: true } as const
    this.client.perform(this.lease.key, wish, 1, (ending) => {
      if (ending?.kind === 'done') this.hold(sentMs)
      else this.fence = undefined
      this.begin()
    })
  }

  /** Is the holder for a term from when it sent. Acts on the resource now and then, and may be paused in between. */
  private hold(sentMs: number): void {
    const { events, random } = this.world
    const untilMs = this.clock.whenShows(sentMs + TTL_MS)
    if (this.fence === undefined || untilMs <= events.nowMs) return
    this.lease.check.holds(this.client.name, events.nowMs, untilMs)
    const { fence } = this
    const lateMs = random.chance(0.2) ? random.around(2 * TTL_MS) : random.between(0, 10)
    events.after(lateMs, () => this.lease.check.acts(this.client.name, fence))
  }
}
