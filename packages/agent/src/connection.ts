import type { StrongRequestMessage } from '@skein/protocol'
import {
  type DialedPath,
  Dialer,
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
  private readonly dialer = new Dialer()
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

  private pauseBeforeReplacing(): void {
    const isAnyOpen = this.links.some(({ state }) => state === 'open')
    this.dialer.lost(performance.now(), Math.random(), isAnyOpen)
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

  /** Does what is to be done about connections now, and looks again when more may be. */
  private dial(): void {
    clearTimeout(this.dialTimer)
    while (this.wanted) {
      const nowMs = performance.now()
      const { attempt, rest, dueMs } = this.dialer.plan(
        nowMs,
        this.links.map((link, id) => this.dialed(link, id)),
      )
      for (const id of rest) this.rest(id)
      if (attempt === undefined) {
        if (dueMs < Number.POSITIVE_INFINITY) {
          this.dialTimer = setTimeout(() => this.dial(), Math.max(0, dueMs - nowMs))
        }
        return
      }
      this.links[attempt]!.attempt()
    }
  }

  private dialed(link: RelayLink, id: PathId): DialedPath {
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

  /** Lets go of a path that is not needed. */
  private rest(id: PathId): void {
    const isOpen = this.links[id]!.state === 'open'
    this.links[id]!.rest()
    if (isOpen) this.run(this.session.closed(performance.now(), id))
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
