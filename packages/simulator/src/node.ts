import type {
  AcceptorWrite,
  Configuration,
  Member,
  Participant,
  ParticipantEffects,
  PeerMessage,
  Submission,
} from '@skein/paxos'
import type { Clock } from './clock.js'
import { describeMessage } from './describe.js'
import { Disk } from './disk.js'
import type { World } from './world.js'

/** A member's process, its disk and its clock. Drives the participant as a relay would. */
export class Node {
  readonly disk: Disk
  /** How often it was started; unlike the incarnation, no bug can make it lie. */
  life = 0
  isBlank = false
  isRetired = false
  private participant: Participant | undefined
  private pausedUntilMs = 0
  private readonly inbox: (() => void)[] = []
  private wakeAtMs = Number.POSITIVE_INFINITY
  private wakeNumber = 0

  constructor(
    private readonly world: World,
    readonly member: Member,
    configuration: Configuration,
    readonly clock: Clock,
  ) {
    this.disk = new Disk(configuration, (write: AcceptorWrite) => world.checks.wrote(this, write))
  }

  get id(): string {
    return this.member.id
  }

  get isUp(): boolean {
    return this.participant !== undefined
  }

  get isPaused(): boolean {
    return this.pausedUntilMs > this.world.events.nowMs
  }

  get configuration(): Configuration {
    return this.participant?.configuration ?? this.disk.configuration
  }

  get isChanging(): boolean {
    return this.participant?.changeProgress !== undefined
  }

  private get localMs(): number {
    return this.clock.at(this.world.events.nowMs)
  }

  /** Starts, unless the disk does not let it. */
  start(): void {
    if (this.isUp || this.isRetired || this.disk.isFull) return
    if (this.isBlank && this.world.bugs.rejoinsBlank !== true) return
    this.life++
    if (this.life === 1 || this.world.bugs.reusesIncarnation !== true) this.disk.incarnation++
    const { disk, id } = this
    const { incarnation, configuration } = disk
    this.participant = new this.world.paxos.Participant({ id, incarnation, configuration, store: disk })
    this.world.log?.(`${id} starts, incarnation ${incarnation}, epoch ${configuration.epoch}`)
    this.world.started(this)
  }

  crash(why: string): void {
    if (!this.isUp) return
    this.world.log?.(`${this.id} ends: ${why}`)
    const { random } = this.world
    this.disk.crash(random.pick([0, random.next(), 1]))
    this.participant = undefined
    this.pausedUntilMs = 0
    this.inbox.length = 0
    this.wakeNumber++
    this.wakeAtMs = Number.POSITIVE_INFINITY
    this.world.ended(this)
  }

  /** The disk is lost, with all that was promised on it. */
  lose(): void {
    this.isBlank = true
    this.disk.erase()
  }

  /** Stands still; what comes meanwhile is worked on afterwards. */
  pause(forMs: number): void {
    if (!this.isUp) return
    const { events, log } = this.world
    log?.(`${this.id} pauses`)
    this.pausedUntilMs = Math.max(this.pausedUntilMs, events.nowMs + forMs)
    events.at(this.pausedUntilMs, () => this.resume())
  }

  resume(): void {
    if (this.isPaused) return
    for (const action of this.inbox.splice(0)) action()
  }

  wakeUp(): void {
    this.pausedUntilMs = 0
    this.resume()
  }

  receive(from: string, message: PeerMessage): void {
    this.do((participant) => {
      this.world.log?.(`${from} -> ${this.id} ${describeMessage(message)}`)
      const before = participant.configuration.epoch
      const effects = participant.receive(this.localMs, from, message)
      this.world.checks.received(this, before, from, message, effects)
      return effects
    })
  }

  submit(submission: Omit<Submission, 'deadlineMs'>, forMs: number): void {
    this.do((participant) =>
      participant.submit(this.localMs, { ...submission, deadlineMs: this.localMs + forMs }),
    )
  }

  cancel(key: string, token: number): void {
    this.do((participant) => participant.cancel(this.localMs, key, token))
  }

  changeMembers(members: readonly Member[]): void {
    this.do((participant) => participant.changeMembers(this.localMs, members))
  }

  watch(key: string): void {
    this.do((participant) => participant.watch(this.localMs, key))
  }

  connected(id: string): void {
    this.do((participant) => participant.connected(this.localMs, id))
  }

  jumpClock(jumpMs: number, rate: number): void {
    this.world.log?.(`${this.id} clock jumps by ${jumpMs.toFixed(1)}`)
    this.clock.change(this.world.events.nowMs, jumpMs, rate)
    this.wakeAtMs = Number.POSITIVE_INFINITY
    this.schedule()
  }

  private do(step: (participant: Participant) => ParticipantEffects): void {
    const { participant } = this
    if (participant === undefined) return
    if (this.isPaused) {
      this.inbox.push(() => this.do(step))
      return
    }
    this.work(step(participant))
  }

  private work({ persist, send, outcomes, learned, changed }: ParticipantEffects): void {
    const { world } = this
    this.disk.add(persist)
    for (const { to, message } of send) {
      world.checks.sent(this, message)
      world.network.send(this.id, to, message)
    }
    for (const { token, outcome } of outcomes) world.calls.ended(this, token, outcome)
    for (const { key, entry } of learned) world.checks.learned(this, key, entry)
    if (changed !== undefined) world.operator.changed(this, changed)
    this.flush()
    this.schedule()
  }

  private flush(): void {
    const { life } = this
    if (!this.disk.begin()) return
    const { random, swarm, events } = this.world
    events.after(swarm.flushMs * (0.5 + random.next()), () => {
      if (this.life !== life) return
      this.flushed()
    })
  }

  private flushed(): void {
    this.do((participant) => {
      if (this.disk.isFull) {
        // What a failed flush left on the disk is not known: only a new start can tell.
        this.crash('its disk is full')
        return NOTHING
      }
      return participant.persisted(this.localMs, this.disk.end())
    })
  }

  private schedule(): void {
    const { participant, world } = this
    if (participant === undefined) return
    const { deadlineMs } = participant
    if (deadlineMs === Number.POSITIVE_INFINITY) return
    // A little later rather than a rounding error too early.
    const atMs = this.clock.whenShows(deadlineMs) + 0.001
    if (atMs >= this.wakeAtMs) return
    this.wakeAtMs = Math.max(atMs, world.events.nowMs)
    const number = ++this.wakeNumber
    world.events.at(atMs, () => {
      if (number !== this.wakeNumber) return
      this.wakeAtMs = Number.POSITIVE_INFINITY
      this.do((current) => current.timeout(this.localMs))
    })
  }
}

const NOTHING: ParticipantEffects = { persist: [], send: [], outcomes: [], learned: [], changed: undefined }
