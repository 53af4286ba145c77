import {
  type AcceptorRecord,
  type ChangeOutcome,
  type Configuration,
  type Entry,
  type Operation,
  type Outcome,
  Participant,
  type ParticipantEffects,
  type PeerMessage,
  type ReadOperation,
} from '../../src/index.js'
import { Disk } from './disk.js'

export interface Packet {
  readonly from: string
  readonly to: string
  readonly message: PeerMessage
}

/** What a step of a member brought about, in order. */
export type Happening =
  | { readonly kind: 'effects'; readonly id: string; readonly effects: ParticipantEffects }
  | { readonly kind: 'delivered' | 'lost'; readonly packet: Packet }

/** Names a link; `*` stands for any member. */
export interface Link {
  readonly from: string
  readonly to: string
}

/** Ids and stores: store `s` of member `a` is `a-s`. */
export const memberOf = (id: string) => ({ id, store: `${id}-s` })

export function configurationOf(ids: readonly string[], epoch = 1): Configuration {
  return { epoch, members: ids.map(memberOf) }
}

/**
 * Members whose messages, flushes, crashes and clock are all moved by hand. Every message stays in
 * `network` until it is delivered or dropped, and every write off the disk until it is flushed.
 */
export class Cluster {
  nowMs = 0
  readonly network: Packet[] = []
  readonly outcomes = new Map<number, Outcome>()
  readonly learned: { readonly id: string; readonly key: string; readonly entry: Entry }[] = []
  readonly changes = new Map<string, ChangeOutcome>()
  readonly happened: Happening[] = []
  private readonly disks = new Map<string, Disk>()
  private readonly running = new Map<string, Participant>()
  private lastToken = 0

  /** @param spares run, but are no members yet */
  constructor(ids: readonly string[] = ['a', 'b', 'c'], spares: readonly string[] = []) {
    for (const id of [...ids, ...spares]) {
      this.disks.set(id, new Disk(configurationOf(ids)))
      this.restart(id)
    }
  }

  member(id: string): Participant {
    const participant = this.running.get(id)
    if (participant === undefined) throw new Error(`${id} does not run`)
    return participant
  }

  /** What would be left of a key if the member died now. */
  onDisk(id: string, key: string): AcceptorRecord | undefined {
    return this.disk(id).get(key)
  }

  disk(id: string): Disk {
    const disk = this.disks.get(id)
    if (disk === undefined) throw new Error(`there is no ${id}`)
    return disk
  }

  submit(id: string, key: string, operation: Operation, deadlineInMs = 10_000): number {
    const token = this.lastToken++
    const deadlineMs = this.nowMs + deadlineInMs
    this.step(id, (member) => member.submit(this.nowMs, { token, key, operation, deadlineMs }))
    return token
  }

  /** Submits, lets everything happen that it takes, and tells how it ended. */
  decide(id: string, key: string, operation: Operation): Outcome {
    const token = this.submit(id, key, operation)
    this.until(() => this.outcomes.has(token))
    this.settle()
    return this.outcomeOf(token)
  }

  outcomeOf(token: number): Outcome {
    const outcome = this.outcomes.get(token)
    if (outcome === undefined) throw new Error(`operation ${token} has not ended`)
    return outcome
  }

  read(id: string, key: string): Outcome {
    return this.decide(id, key, READ)
  }

  step(id: string, run: (member: Participant) => ParticipantEffects): ParticipantEffects {
    const effects = run(this.member(id))
    this.disk(id).write(effects.persist)
    this.network.push(...effects.send.map((envelope) => ({ from: id, ...envelope })))
    for (const { token, outcome } of effects.outcomes) {
      if (this.outcomes.has(token)) throw new Error(`operation ${token} ended twice`)
      this.outcomes.set(token, outcome)
    }
    this.learned.push(...effects.learned.map((news) => ({ id, ...news })))
    if (effects.changed !== undefined) this.changes.set(id, effects.changed)
    this.happened.push({ kind: 'effects', id, effects })
    return effects
  }

  /** Its next attempt has a higher counter. */
  hearOf(id: string, counter: number): void {
    const ballot = { counter, proposer: 'z', incarnation: 1 }
    const message = { kind: 'refused', key: 'elsewhere', ballot, promised: ballot } as const
    this.hand({ from: 'z', to: id, message })
  }

  /** The oldest message of every such link. Returns how many there were. */
  deliver(link: Link): number {
    return this.take(link, 1).map((packet) => this.hand(packet)).length
  }

  /** All that is under way on such links, but not what comes of it. */
  deliverAll(link: Link): number {
    return this.take(link).map((packet) => this.hand(packet)).length
  }

  /** Hands over what was held back by a test, late or a second time. */
  hand(packet: Packet): void {
    const isRunning = this.running.has(packet.to)
    this.happened.push({ kind: isRunning ? 'delivered' : 'lost', packet })
    if (isRunning) this.step(packet.to, (member) => member.receive(this.nowMs, packet.from, packet.message))
  }

  /** Takes messages off the network, for good unless they are handed over. */
  take({ from, to }: Link, perLinkMax = Number.POSITIVE_INFINITY): Packet[] {
    const counts = new Map<string, number>()
    const taken = this.network.filter((packet) => {
      if ((from !== '*' && from !== packet.from) || (to !== '*' && to !== packet.to)) return false
      const link = `${packet.from}->${packet.to}`
      counts.set(link, (counts.get(link) ?? 0) + 1)
      return counts.get(link)! <= perLinkMax
    })
    const left = this.network.filter((packet) => !taken.includes(packet))
    this.network.splice(0, this.network.length, ...left)
    return taken
  }

  flush(id: string): boolean {
    const number = this.disk(id).flush()
    if (number !== undefined) this.step(id, (member) => member.persisted(this.nowMs, number))
    return number !== undefined
  }

  /** What was not flushed is lost. */
  crash(id: string): void {
    this.running.delete(id)
    this.disk(id).crash()
  }

  restart(id: string): void {
    this.crash(id)
    const disk = this.disk(id)
    const { configuration } = disk
    this.running.set(id, new Participant({ id, incarnation: ++disk.incarnation, configuration, store: disk }))
  }

  /** Time goes on, and whose time is due is told so. */
  pass(ms: number, ...paused: readonly string[]): void {
    this.nowMs += ms
    for (const [id, member] of this.running) {
      if (!paused.includes(id) && member.deadlineMs <= this.nowMs)
        this.step(id, () => member.timeout(this.nowMs))
    }
  }

  /** Delivers and flushes until nothing is under way. @param deaf get and say nothing */
  settle(...deaf: readonly string[]): void {
    for (let isBusy = true; isBusy; ) {
      isBusy = false
      for (const packet of this.take(ANY)) {
        if (!deaf.includes(packet.from) && !deaf.includes(packet.to)) this.hand(packet)
        isBusy = true
      }
      for (const id of this.running.keys()) {
        if (!deaf.includes(id) && this.flush(id)) isBusy = true
      }
    }
  }

  /**
   * Message by message and flush by flush until it is so; where nothing is left to happen, time passes to
   * the next deadline. @param deaf get and say nothing, and are not told the time
   */
  until(isDone: () => boolean, ...deaf: readonly string[]): void {
    for (let deadlines = 0; !isDone(); ) {
      const packet = this.network.shift()
      if (packet !== undefined) {
        if (!deaf.includes(packet.from) && !deaf.includes(packet.to)) this.hand(packet)
        continue
      }
      const awake = [...this.running].filter(([id]) => !deaf.includes(id))
      if (awake.some(([id]) => this.flush(id))) continue
      const nextMs = Math.min(...awake.map(([, { deadlineMs }]) => deadlineMs))
      if (++deadlines === 1_000 || nextMs === Number.POSITIVE_INFINITY)
        throw new Error('it never comes to that')
      this.pass(Math.max(nextMs - this.nowMs, 0), ...deaf)
    }
  }
}

export const ANY: Link = { from: '*', to: '*' }

const READ: ReadOperation = { kind: 'read' }
