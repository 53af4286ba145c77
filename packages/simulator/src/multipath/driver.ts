import type { DialedPath, Dialer, MultipathEffects } from '@skein/sync'
import type { Agent } from './agent.js'
import { Link } from './link.js'
import type { Path } from './socket.js'
import type { SyncModule } from './sync-module.js'
import type { Timer } from './timer.js'

const BUFFERED_BYTES_OF_MESSAGE = 1024 * 1024
const DRAIN_CHECK_MS = 50
const SLEPT_MS = 5_000
/** The close code of a session that hears nothing any more. */
const GAVE_UP = 4000

export type MultipathSession = InstanceType<SyncModule['MultipathSession']>

/**
 * An agent's connections, driven as `packages/agent/src/connection.ts` drives them, on virtual sockets and timers.
 * Where that changes this has to follow.
 */
export class Driver {
  readonly links: readonly Link[]
  readonly session: MultipathSession
  private readonly filled = new Set<number>()
  private readonly unfinished = new Set<number>()
  private readonly dialer: Dialer
  private dialTimer: Timer | undefined
  private drainTimer: Timer | undefined
  private moreTimer: Timer | undefined
  private deadlineTimer: Timer | undefined
  private deadlineAtMs = Number.POSITIVE_INFINITY
  private clockOffsetMs = 0

  constructor(
    private readonly agent: Agent,
    paths: readonly Path[],
  ) {
    const { world, name, replica, outbox } = agent
    const Session = world.sync.MultipathSession
    this.dialer = new world.sync.Dialer()
    this.session = new Session(name, replica, outbox, { hasOtherPaths: paths.length > 1 })
    this.links = paths.map(
      (path, id) =>
        new Link(agent, path, {
          opened: () => {
            world.log?.(`${name} is connected to ${path.server.name}`)
            this.run(this.session.opened(this.nowMs, id))
          },
          frame: (frame) => {
            world.heard(agent, this.links[id]!, frame)
            this.run(this.session.receive(this.nowMs, id, frame))
          },
          ended: (wasOpen) => this.linkEnded(id, wasOpen),
        }),
    )
  }

  connect(): void {
    this.dial()
  }

  /** The machine is awake again, or the network came back. */
  wake(): void {
    for (const link of this.links) if (link.state === 'waiting') link.forgive()
    this.run(this.session.probe(this.nowMs))
  }

  edit(update: Uint8Array): void {
    this.run(this.session.edit(this.nowMs, update))
  }

  hurry(): void {
    this.agent.outbox.awaitConfirmation()
    this.run(this.session.hurry(this.nowMs))
  }

  presence(update: Uint8Array): void {
    this.run(this.session.presence(this.nowMs, update))
  }

  private get nowMs(): number {
    return this.agent.world.events.nowMs
  }

  private linkEnded(id: number, wasOpen: boolean): void {
    if (!wasOpen) {
      this.dial()
      return
    }
    this.agent.world.log?.(`${this.agent.name} has lost ${this.links[id]!.name}`)
    this.forgetUnfit()
    this.pauseBeforeReplacing()
    this.run(this.session.closed(this.nowMs, id))
    this.tellIfLost()
  }

  private pauseBeforeReplacing(): void {
    const isAnyOpen = this.links.some(({ state }) => state === 'open')
    this.dialer.lost(this.nowMs, this.agent.world.random.next(), isAnyOpen)
  }

  private forgetUnfit(): void {
    for (const link of this.links) link.isUnfit = false
  }

  private tellIfLost(): void {
    if (this.session.active === undefined) this.agent.lost()
  }

  private run(effects: MultipathEffects): void {
    const { agent, session, links } = this
    const { world } = agent
    if (effects.epoch !== undefined) agent.epoch = effects.epoch
    for (const { path, frame } of effects.send) {
      world.sends(agent, links[path]!, frame)
      links[path]!.send(frame)
    }
    for (const update of effects.apply) agent.apply(update)
    for (const update of effects.presence) agent.presence.receive(update)
    for (const { path, problem } of effects.problems) world.checks.problem(agent, links[path]!, problem)
    for (const { path, code, reason, isUnfit } of effects.close) {
      world.log?.(`${agent.name} closes ${links[path]!.name}: ${code} ${reason}`)
      if (code === GAVE_UP) world.checks.gaveUp(agent, links[path]!, reason)
      links[path]!.isUnfit = isUnfit
      if (isUnfit) links[path]!.rest()
      else {
        links[path]!.close(code)
        this.forgetUnfit()
        this.pauseBeforeReplacing()
      }
    }
    if (effects.switched !== undefined) world.switched(agent, effects.switched)
    if (effects.apply.length > 0) this.run(session.applied(this.nowMs))
    if (effects.announce) agent.presence.announce()
    for (const path of effects.more) this.unfinished.add(path)
    if (this.unfinished.size > 0) this.moreTimer ??= agent.timer(0, () => this.sendMore())
    for (const [id, link] of links.entries()) if (session.describe(id)?.session.ready) link.works()
    for (const path of new Set(effects.send.map((sent) => sent.path))) this.noteBuffered(path)
    this.dial()
    this.arm(session.deadlineMs)
    world.checks.settled(agent)
    if (effects.close.length > 0) this.tellIfLost()
  }

  private noteBuffered(id: number): void {
    const bytes = this.links[id]!.bufferedAmount
    if (bytes === 0 && !this.filled.has(id)) return
    if (bytes > 0) this.filled.add(id)
    else this.filled.delete(id)
    this.run(this.session.buffered(this.nowMs, id, bytes))
    if (this.filled.size > 0) {
      this.drainTimer ??= this.agent.timer(DRAIN_CHECK_MS, () => {
        this.drainTimer = undefined
        for (const filled of [...this.filled]) this.noteBuffered(filled)
      })
    }
  }

  private sendMore(): void {
    this.moreTimer = undefined
    for (const id of [...this.unfinished]) {
      const link = this.links[id]!
      if (link.state === 'open' && link.bufferedAmount > BUFFERED_BYTES_OF_MESSAGE) continue
      this.unfinished.delete(id)
      this.run(this.session.sendMore(this.nowMs, id))
    }
    if (this.unfinished.size > 0) this.moreTimer ??= this.agent.timer(DRAIN_CHECK_MS, () => this.sendMore())
  }

  private arm(deadlineMs: number): void {
    if (deadlineMs >= this.deadlineAtMs) return
    this.deadlineTimer?.cancel()
    this.deadlineAtMs = deadlineMs
    // A sum of two times may be a little less than it should be, and nothing would be due yet.
    const afterMs = Math.max(0, deadlineMs - this.nowMs) + 0.001
    this.deadlineTimer = this.agent.timer(afterMs, () => this.deadlineCame())
  }

  private deadlineCame(): void {
    const { agent, session, nowMs } = this
    const lateMs = nowMs - this.deadlineAtMs
    this.deadlineAtMs = Number.POSITIVE_INFINITY
    const slept = agent.sleptMs - this.clockOffsetMs > SLEPT_MS
    this.clockOffsetMs = agent.sleptMs
    this.run(slept ? session.probe(nowMs) : session.timeout(nowMs, agent.world.random.next()))
    if ((slept || lateMs > SLEPT_MS) && session.live) agent.presence.announce()
  }

  private dial(): void {
    this.dialTimer?.cancel()
    this.dialTimer = undefined
    for (;;) {
      const { attempt, rest, dueMs } = this.dialer.plan(
        this.nowMs,
        this.links.map((link, id) => this.dialed(link, id)),
      )
      for (const id of rest) this.rest(id)
      if (attempt === undefined) {
        if (dueMs < Number.POSITIVE_INFINITY) {
          this.dialTimer = this.agent.timer(Math.max(0, dueMs - this.nowMs) + 0.001, () => this.dial())
        }
        return
      }
      this.links[attempt]!.attempt()
    }
  }

  private dialed(link: Link, id: number): DialedPath {
    const described = this.session.describe(id)
    return {
      state: link.state,
      isUnfit: link.isUnfit,
      attemptedMs: link.attemptedMs,
      isReady: described?.session.ready === true,
      isSilent: described?.report?.state === 'silent',
      isInUse: described?.isActive === true || id === this.session.strongPath,
    }
  }

  private rest(id: number): void {
    const isOpen = this.links[id]!.state === 'open'
    this.links[id]!.rest()
    if (isOpen) this.run(this.session.closed(this.nowMs, id))
  }
}
