import type { StrongRequestMessage } from '@skein/protocol'
import {
  type MultipathEffects,
  MultipathSession,
  type Outbox,
  type PathId,
  type Replica,
  type SessionProblem,
  type StrongMessage,
} from '@skein/sync'
import type { SkeinError } from './errors.js'
import { pathStatus } from './path-status.js'
import type { Platform } from './platform.js'
import { problemError } from './problems.js'
import { RelayLink } from './relay-link.js'
import { spaceUrl } from './space-url.js'
import type { PathStatus, PathSwitch, Status } from './types.js'

/** What the connection tells the space. */
export interface ConnectionEvents {
  /** The replica belongs to this history of the space. */
  epoch(epoch: string): void
  apply(update: Uint8Array): void
  presence(update: Uint8Array): void
  /** Others are new or have asked, or hear from now on over another path: announce who is present. */
  announce(): void
  strong(message: StrongMessage): void
  /** A relay did not take an edit, or something is wrong with a path, of which `paths` tells. */
  problem(problem: SessionProblem): void
  /** Anything that `status` shows may have changed. */
  changed(): void
  /** No path is left, and nobody can be heard. */
  lost(): void
}

/** Says from which edit on they stay unconfirmed. */
export type EditProblem = Extract<SessionProblem, { readonly from: number }>

export function isOfEdits(problem: SessionProblem): problem is EditProblem {
  return problem.kind === 'too-large' || problem.kind === 'rejected'
}

/** So many paths are kept open: the active one, and one that takes over. */
const WARM_PATHS = 2
/** Pause between the starts of two attempts: that long the one before has to come up. */
const STAGGER_MS = 250
/** Beyond it, at most, before a path is replaced that stood by: a dead relay's agents must not all come at once. */
const REPLACE_WITHIN_MS = 1_000
/** A connection that is open and not ready so long after its attempt began is not counted on. */
const READY_WITHIN_MS = 2_000
/** Bytes waiting in the socket up to which more of a large message is added. */
const BUFFERED_BYTES_OF_MESSAGE = 1024 * 1024
/** How often a filled socket is looked at; browsers have no event for it. */
const DRAIN_CHECK_MS = 50
/** The two clocks have moved apart by this, or a timer is this late: machine or process has slept. */
const SLEPT_MS = 5_000

/** Keeps connections to the relays of the list: sockets and timers around the pure session over several paths. */
export class Connection {
  lastSwitch: PathSwitch | undefined

  private readonly links: readonly RelayLink[]
  private readonly session: MultipathSession
  /** Counts connections. */
  private opened = 0
  /** Which of them each link's present one is. */
  private readonly serials: number[] = []
  private wanted = false
  /** Links whose sockets held bytes at the last look, and those that have more of a large message to send. */
  private readonly filled = new Set<PathId>()
  private readonly unfinished = new Set<PathId>()
  /** When the next attempt may start, by `performance.now()`, while another is under way or a path is open. */
  private mayDialAt = 0
  private dialTimer: Timer | undefined
  private drainTimer: Timer | undefined
  private moreTimer: Timer | undefined
  private deadlineTimer: Timer | undefined
  private deadlineAt = Number.POSITIVE_INFINITY
  /** Date.now() - performance.now() at the last look; it jumps when the machine sleeps. */
  private clockOffset = clockOffset()

  constructor(
    relays: readonly string[],
    space: string,
    agentId: string,
    platform: Platform,
    replica: Replica,
    private readonly outbox: Outbox,
    private readonly events: ConnectionEvents,
  ) {
    const urls = [...new Set(relays.map((relay) => spaceUrl(relay, space)))]
    this.links = urls.map(
      (url, id) =>
        new RelayLink(url, platform, {
          opened: () => {
            this.serials[id] = ++this.opened
            this.run(this.session.opened(performance.now(), id))
          },
          frame: (frame) => this.run(this.session.receive(performance.now(), id, frame)),
          ended: (wasOpen) => this.linkEnded(id, wasOpen),
        }),
    )
    this.session = new MultipathSession(agentId, replica, outbox, { hasOtherPaths: urls.length > 1 })
  }

  get state(): Status['connection'] {
    if (!this.wanted) return 'offline'
    if (this.session.live) return 'live'
    if (this.links.some(({ state }) => state === 'open')) return 'syncing'
    return this.links.every(({ state }) => state === 'refused') ? 'refused' : 'connecting'
  }

  get live(): boolean {
    return this.session.live
  }

  /** The path in use, if there is one. */
  get path(): PathStatus | undefined {
    const { active } = this.session
    return active === undefined ? undefined : this.describe(active)
  }

  /** All paths, in the order of the list. */
  get paths(): readonly PathStatus[] {
    return this.links.map((_link, id) => this.describe(id))
  }

  /** When the next attempt starts, while there is neither a connection nor an attempt. */
  get retryAt(): number | undefined {
    if (this.links.some(({ state }) => state === 'open' || state === 'connecting')) return undefined
    const times = this.links.flatMap(({ retryAt }) => retryAt ?? [])
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** What keeps paths from working that another attempt does not mend; undefined while one works. */
  get error(): SkeinError | undefined {
    if (this.session.live) return undefined
    const errors = this.links.flatMap(({ error }) => error ?? [])
    return errors.find(({ code }) => code !== 'unreachable')
  }

  /** Names the connection that takes strong requests, if there is one. */
  get strongSession(): number | undefined {
    const { strongPath } = this.session
    return strongPath === undefined ? undefined : this.serials[strongPath]
  }

  connect(): void {
    for (const link of this.links) link.forgive()
    this.wanted = this.links.length > 0
    this.dial()
    this.events.changed()
  }

  disconnect(): void {
    this.wanted = false
    this.clearTimers()
    for (const [id, link] of this.links.entries()) {
      link.rest()
      this.session.closed(performance.now(), id)
    }
    this.events.changed()
  }

  /** Tries at once instead of waiting, or makes sure that what looks open is. */
  wake(): void {
    if (!this.wanted) return
    for (const link of this.links) if (link.state === 'waiting') link.forgive()
    this.run(this.session.probe(performance.now()))
  }

  /** A relay does not answer requests of the strong region: another one is asked, where there is one. */
  tryNext(): void {
    const silent = this.session.strongPath
    this.run(this.session.strongIsSilent(performance.now()))
    if (silent === undefined || this.session.strongPath !== silent) return
    // None stands by. Another one may be reached, if this connection is given up for it.
    if (!this.links.some(({ state }) => state === 'idle')) return
    this.links[silent]!.close(1000, 'requests are not answered')
    this.linkEnded(silent, true)
  }

  /** Passes an edit on; what cannot be sent now is part of the next exchange. */
  edit(update: Uint8Array): void {
    this.run(this.session.edit(performance.now(), update))
  }

  /** Somebody waits for a confirmation of all edits made so far. */
  hurry(): void {
    this.outbox.awaitConfirmation()
    this.run(this.session.hurry(performance.now()))
  }

  presence(update: Uint8Array): void {
    this.run(this.session.presence(performance.now(), update))
  }

  strong(request: StrongRequestMessage): void {
    this.run(this.session.strong(performance.now(), request))
  }

  private describe(id: PathId): PathStatus {
    return pathStatus(this.links[id]!, this.session.describe(id))
  }

  private linkEnded(id: PathId, wasOpen: boolean): void {
    if (!wasOpen) {
      this.dial()
      this.events.changed()
      return
    }
    this.pauseBeforeReplacing()
    this.forgetUnfit()
    this.run(this.session.closed(performance.now(), id))
    this.tellIfLost()
  }

  /** While another path works there is time, and others may have lost the same relay. */
  private pauseBeforeReplacing(): void {
    if (!this.links.some(({ state }) => state === 'open')) return
    this.mayDialAt = performance.now() + STAGGER_MS + Math.random() * REPLACE_WITHIN_MS
  }

  /** A connection has ended: those that could not be kept beside it may be kept now. */
  private forgetUnfit(): void {
    for (const link of this.links) link.isUnfit = false
  }

  /** Last of what is done: it runs code of the application. */
  private tellIfLost(): void {
    if (this.session.active === undefined) this.events.lost()
  }

  private run(effects: MultipathEffects): void {
    // First what has nothing to do with the application, whose code runs from here on, and may end all of this.
    for (const { path, frame } of effects.send) this.links[path]!.send(frame)
    for (const { path, problem } of effects.problems) {
      if (!isOfEdits(problem)) this.links[path]!.error = problemError(problem)
    }
    for (const { path, code, reason, isUnfit } of effects.close) this.close(path, code, reason, isUnfit)
    this.noteSwitch(effects)
    if (effects.epoch !== undefined) this.events.epoch(effects.epoch)
    for (const update of effects.apply) this.events.apply(update)
    for (const update of effects.presence) this.events.presence(update)
    for (const message of effects.strong) this.events.strong(message)
    for (const { problem } of effects.problems) this.events.problem(problem)
    if (effects.apply.length > 0) this.run(this.session.applied(performance.now()))
    if (effects.announce) this.events.announce()
    for (const path of effects.more) this.unfinished.add(path)
    for (const [id, link] of this.links.entries()) {
      link.noteWorking(this.session.describe(id)?.session.ready === true)
    }
    for (const path of new Set(effects.send.map((sent) => sent.path))) this.noteBuffered(path)
    this.armMore(0)
    this.dial()
    this.arm(this.session.deadlineMs)
    this.events.changed()
    if (effects.close.length > 0) this.tellIfLost()
  }

  private close(path: PathId, code: number, reason: string, isUnfit: boolean): void {
    const link = this.links[path]!
    link.isUnfit = isUnfit
    if (isUnfit) {
      link.rest(code, reason)
      return
    }
    link.close(code, reason)
    this.forgetUnfit()
    this.pauseBeforeReplacing()
  }

  private noteSwitch({ switched }: MultipathEffects): void {
    if (switched === undefined) return
    const url = (id: PathId | undefined) => (id === undefined ? undefined : this.links[id]!.url)
    const { from, to, reason } = switched
    this.lastSwitch = { from: url(from), to: url(to), reason, at: Date.now() }
  }

  /** Tells the session how much waits in a socket, as long as anything does. */
  private noteBuffered(id: PathId): void {
    const bytes = this.links[id]!.bufferedAmount
    if (bytes === 0 && !this.filled.has(id)) return
    if (bytes > 0) this.filled.add(id)
    else this.filled.delete(id)
    this.run(this.session.buffered(performance.now(), id, bytes))
    if (this.filled.size > 0 && this.wanted)
      this.drainTimer ??= setTimeout(() => this.checkDrained(), DRAIN_CHECK_MS)
  }

  private checkDrained(): void {
    this.drainTimer = undefined
    for (const id of [...this.filled]) this.noteBuffered(id)
  }

  private sendMore(): void {
    this.moreTimer = undefined
    for (const id of [...this.unfinished]) {
      const link = this.links[id]!
      if (link.state === 'open' && link.bufferedAmount > BUFFERED_BYTES_OF_MESSAGE) continue
      this.unfinished.delete(id)
      this.run(this.session.sendMore(performance.now(), id))
    }
    this.armMore(DRAIN_CHECK_MS)
  }

  private armMore(afterMs: number): void {
    if (this.unfinished.size > 0 && this.wanted) {
      this.moreTimer ??= setTimeout(() => this.sendMore(), afterMs)
    }
  }

  /** One timer for the session's deadline; it is moved only when that comes nearer. */
  private arm(deadline: number): void {
    if (deadline >= this.deadlineAt || !this.wanted) return
    clearTimeout(this.deadlineTimer)
    this.deadlineAt = deadline
    this.deadlineTimer = setTimeout(() => this.deadlineCame(), Math.max(0, deadline - performance.now()))
  }

  private deadlineCame(): void {
    const nowMs = performance.now()
    const lateMs = nowMs - this.deadlineAt
    this.deadlineAt = Number.POSITIVE_INFINITY
    const offset = clockOffset()
    const slept = Math.abs(offset - this.clockOffset) > SLEPT_MS
    this.clockOffset = offset
    this.run(slept ? this.session.probe(nowMs) : this.session.timeout(nowMs, Math.random()))
    // Others may have taken this agent for gone, and would see it again only with its next renewal.
    if ((slept || lateMs > SLEPT_MS) && this.session.live) this.events.announce()
  }

  /** Starts attempts until enough paths are open, one after the other; takes back those that are too many. */
  private dial(): void {
    if (!this.wanted) return
    const { links } = this
    clearTimeout(this.dialTimer)
    this.dialTimer = undefined
    let warm = 0
    for (const id of links.keys()) if (this.isWarm(id)) warm++
    if (warm >= Math.min(WARM_PATHS, links.length)) {
      this.restSurplus(warm)
      this.dialAgainWhenDue()
      return
    }
    const isOpen = links.some(({ state }) => state === 'open')
    // In their order, but none again before each has had its turn.
    let next: RelayLink | undefined
    for (const link of links) {
      if (link.state !== 'idle' || (link.isUnfit && isOpen)) continue
      if (next === undefined || link.attemptedAt < next.attemptedAt) next = link
    }
    if (next === undefined) {
      this.dialAgainWhenDue()
      return
    }
    const isBusy = isOpen || links.some(({ state }) => state === 'connecting')
    const waitMs = isBusy ? this.mayDialAt - performance.now() : 0
    if (waitMs > 0) {
      this.dialTimer = setTimeout(() => this.dial(), waitMs)
      return
    }
    this.mayDialAt = performance.now() + STAGGER_MS
    next.attempt()
    this.dial()
  }

  /** What was opened just now is not counted on for long. */
  private dialAgainWhenDue(): void {
    let dueMs = Number.POSITIVE_INFINITY
    for (const [id, link] of this.links.entries()) {
      const isUnready = link.state === 'open' && this.session.describe(id)?.session.ready !== true
      const untilMs = link.attemptedAt + READY_WITHIN_MS
      if (isUnready && untilMs > performance.now()) dueMs = Math.min(dueMs, untilMs)
    }
    if (dueMs < Number.POSITIVE_INFINITY) {
      this.dialTimer ??= setTimeout(() => this.dial(), dueMs - performance.now())
    }
  }

  private restSurplus(warm: number): void {
    for (const link of this.links) if (link.state === 'connecting') link.rest()
    if (warm <= WARM_PATHS) return
    const { active, strongPath } = this.session
    const canRest = (i: number) => i !== active && this.isWarm(i)
    // A change costs the strong region all its watches once more.
    let id = this.links.findLastIndex((_link, i) => canRest(i) && i !== strongPath)
    if (id < 0) id = this.links.findLastIndex((_link, i) => canRest(i))
    this.links[id]!.rest()
    this.run(this.session.closed(performance.now(), id))
  }

  /** Whether it works, or was opened just now. */
  private isWarm(id: PathId): boolean {
    const link = this.links[id]!
    if (link.state !== 'open') return false
    const described = this.session.describe(id)
    if (described?.session.ready) return described.report?.state !== 'silent'
    return performance.now() - link.attemptedAt < READY_WITHIN_MS
  }

  private clearTimers(): void {
    for (const timer of [this.dialTimer, this.drainTimer, this.moreTimer, this.deadlineTimer])
      clearTimeout(timer)
    this.dialTimer = this.drainTimer = this.moreTimer = this.deadlineTimer = undefined
    this.deadlineAt = Number.POSITIVE_INFINITY
    this.filled.clear()
    this.unfinished.clear()
  }
}

type Timer = ReturnType<typeof setTimeout>

function clockOffset(): number {
  return Date.now() - performance.now()
}
