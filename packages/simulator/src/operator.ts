import type { ChangeOutcome, Member } from '@skein/paxos'
import type { Node } from './node.js'
import type { World } from './world.js'

/** Each one more makes the explored worlds larger; what the package itself allows is tested there. */
const MEMBERS_MAX = 7

/**
 * Changes the members. The member that drives a change may end or be forgotten about; the operator then
 * begins the same change on another one, or now and then a different one.
 */
export class Operator {
  private wanted: readonly Member[] | undefined
  private driver: Node | undefined
  private isPatient = true
  completed = 0
  /** All that ever were members: who is to become one is not switched off. */
  private readonly formerMembers = new Set<string>()
  /** Every change that a member was told to begin, and the epoch that it had then. */
  private readonly begun: { readonly epoch: number; readonly members: readonly Member[] }[] = []

  constructor(private readonly world: World) {}

  get isChanging(): boolean {
    return this.wanted !== undefined
  }

  /** Whether a majority of the members has the newest configuration on disk. */
  get isInstalled(): boolean {
    const { nodes, configuration } = this.world
    const { epoch, members } = configuration
    const knowing = members.filter(({ id }) => nodes.get(id)!.disk.configuration.epoch >= epoch)
    return knowing.length * 2 > members.length
  }

  begin(): void {
    const { random } = this.world
    if (!this.isPatient) return
    // A second change while one is under way: one of them is told so.
    if (this.wanted !== undefined && !random.chance(0.3)) return
    const { members, next } = this.world.configuration
    for (const { id } of members) this.formerMembers.add(id)
    if (this.world.nodes.size > 14) return
    const wanted = this.choose(next ?? members)
    if (this.wanted === undefined) this.wanted = wanted
    this.drive(wanted, random.chance(0.3) ? this.driver : undefined)
  }

  changed(node: Node, outcome: ChangeOutcome): void {
    const { log, configuration } = this.world
    log?.(`${node.id} ends its change: ${outcome.kind}, epoch ${outcome.configuration.epoch}`)
    this.world.checks.changed(outcome, this.world.nodes)
    if (this.wanted === undefined) return
    if (outcome.kind === 'other-change') {
      // Told by someone who has been left behind.
      if (outcome.configuration.epoch < configuration.epoch) return
      // What the others have begun has to be finished first.
      this.wanted = outcome.configuration.next === undefined ? undefined : outcome.configuration.next
      if (this.wanted === undefined) return
      if (this.isPatient) this.again()
      else this.world.events.after(0, () => this.wanted && this.drive(this.wanted, undefined))
      return
    }
    if (configuration.next !== undefined) return
    this.completed++
    this.wanted = undefined
    this.retire()
  }

  /** Nothing goes wrong any more: bring the change to its end and replace whoever is lost. */
  finish(): void {
    this.isPatient = false
    const { nodes, configuration } = this.world
    if (configuration.next !== undefined) {
      this.wanted = configuration.next
    } else if (configuration.members.some(({ id }) => nodes.get(id)!.isBlank)) {
      this.wanted = this.withoutLost(configuration.members)
    } else if (!this.isInstalled) {
      // Decided, but who decided it may be the only one that knows.
      this.wanted = configuration.members
    } else {
      this.wanted = undefined
      this.retire()
      return
    }
    this.drive(this.wanted, undefined)
  }

  /** Members that are so no more are switched off. */
  private retire(): void {
    const { nodes, configuration } = this.world
    if (configuration.next !== undefined || !this.isInstalled) return
    // A change that was begun in this epoch may still be decided, and takes back who is in it.
    const open = this.begun.filter(({ epoch }) => epoch >= configuration.epoch)
    for (const node of nodes.values()) {
      const isMember = configuration.members.some(({ id }) => id === node.id)
      if (isMember) this.formerMembers.add(node.id)
      if (isMember || !this.formerMembers.has(node.id)) continue
      if (open.some(({ members }) => members.some(({ id }) => id === node.id))) continue
      node.isRetired = true
      node.crash('it is no member any more')
    }
  }

  private drive(members: readonly Member[], preferred: Node | undefined): void {
    const { random, log } = this.world
    if (members.some(({ id }) => this.world.nodes.get(id)!.isRetired)) {
      // Chosen before another change came first, which has switched them off.
      this.wanted = undefined
      return
    }
    const up = this.world.upNodes().filter(({ isPaused }) => !isPaused)
    if (up.length === 0) {
      this.again()
      return
    }
    this.driver = preferred?.isUp && !preferred.isPaused ? preferred : random.pick(up)
    log?.(`${this.driver.id} begins a change to ${members.map(({ id }) => id).join('')}`)
    this.begun.push({ epoch: this.driver.configuration.epoch, members })
    this.driver.changeMembers(members)
    this.again()
  }

  /** Looks after a while whether the change goes on, and begins it elsewhere if not. */
  private again(): void {
    const { events, random } = this.world
    const { driver, wanted } = this
    if (!this.isPatient || wanted === undefined) return
    events.after(random.between(100, 1_000), () => {
      if (!this.isPatient || this.wanted !== wanted || this.driver !== driver) return
      if (driver?.isUp && driver.isChanging && random.chance(0.7)) this.again()
      else this.drive(wanted, undefined)
    })
  }

  private choose(members: readonly Member[]): readonly Member[] {
    const { random } = this.world
    const kept = members.filter(({ id }) => !this.world.nodes.get(id)!.isBlank)
    if (kept.length < members.length) return this.withoutLost(members)
    switch (random.below(6)) {
      case 0:
        return members.length < MEMBERS_MAX ? [...members, this.newNode()] : members.slice(1)
      case 1:
        return members.length > 1 ? members.slice(1) : [this.newNode()]
      case 2:
        return members.length > 4 ? members.slice(2) : members.map(() => this.newNode())
      case 3:
        return [...members.slice(Math.ceil(members.length / 2)), this.newNode()]
      default:
        return [...members.slice(1), this.newNode()]
    }
  }

  private withoutLost(members: readonly Member[]): readonly Member[] {
    return members.map((member) => (this.world.nodes.get(member.id)!.isBlank ? this.newNode() : member))
  }

  private newNode(): Member {
    const member = this.world.newMember()
    this.world.addNode(member)
    return member
  }
}
