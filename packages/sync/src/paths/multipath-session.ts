import type { StrongRequestMessage } from '@skein/protocol'
import type { Outbox } from '../outbox.js'
import {
  type Replica,
  Session,
  type SessionEffects,
  type SessionProblem,
  type StrongMessage,
} from '../session.js'
import { type EditBatch, EditPace } from './edit-pace.js'
import { BULK_BYTES, EditsInFlight } from './edits-in-flight.js'
import type { PathId } from './path.js'
import { type PathEffects, type PathReport, PathScheduler, type PathSwitch } from './scheduler.js'
import { StandbyNews } from './standby-news.js'

export const MULTIPATH_LIMITS = {
  /** Bytes waiting in a socket from which its edits are held back and merged; until half of it has gone. */
  bufferedBytesMax: 4 * 1024 * 1024,
  /** A new path that does not stand by within this time is closed: a plain server, or an old relay. */
  standbyWithinMs: 10_000,
  /** The first path is given up for another one that is ready, when its exchange does not come on for so long. */
  firstSilentMs: 1_000,
  /** Somebody waits, and nothing is confirmed for so long: another path is given everything, too. */
  confirmWithinMs: 2_000,
} as const

/** What a session over several paths wants done, in this order. */
export interface MultipathEffects {
  /** First: to apply may run code of the application, whose edits build on what is sent here. */
  readonly send: { readonly path: PathId; readonly frame: Uint8Array }[]
  /** These connections are over. */
  readonly close: PathClose[]
  /** Keep this as the replica's epoch. */
  epoch?: string
  /** Updates to apply to the document; then call `applied`. */
  readonly apply: Uint8Array[]
  /** Awareness updates to apply. */
  readonly presence: Uint8Array[]
  readonly strong: StrongMessage[]
  readonly problems: { readonly path: PathId; readonly problem: SessionProblem }[]
  /** Call `sendMore` for these when their sockets have sent most of what they hold. */
  readonly more: PathId[]
  /** Another path is active now. */
  switched?: PathSwitch
  /** Give this agent's presence to `presence()`: others have asked, or a path has begun to take part. */
  announce: boolean
}

export interface PathClose {
  readonly path: PathId
  readonly code: number
  readonly reason: string
  /** It cannot be kept beside others: it is worth another attempt only when there is no other. */
  readonly isUnfit: boolean
}

/** What is known of one path, for people. */
export interface PathDescription {
  readonly kind: 'relay' | 'server'
  readonly isActive: boolean
  readonly session: Session
  /** What the scheduler knows of it; undefined until it can be used. */
  readonly report: PathReport | undefined
  /** Its relay held something else than this replica after they had exchanged everything. */
  readonly hasDiverged: boolean
}

/** What this needs of a scheduler; `PathScheduler` is the one that is used. */
export type PathChoice = Pick<
  PathScheduler,
  | 'active'
  | 'isFull'
  | 'deadlineMs'
  | 'report'
  | 'opened'
  | 'closed'
  | 'buffered'
  | 'submit'
  | 'acknowledged'
  | 'answered'
  | 'overdue'
  | 'timeout'
>

interface Line {
  readonly session: Session
  readonly openedMs: number
  readonly news: StandbyNews
  /** The scheduler knows it. */
  isKnown: boolean
}

/** Somebody waits for more than what is confirmed. */
interface Waiting {
  readonly confirmed: number
  readonly dueMs: number
  readonly pauseMs: number
}

export interface MultipathOptions {
  /** There may be more than one path at a time. */
  readonly hasOtherPaths: boolean
  readonly scheduler?: PathChoice
}

/**
 * An agent's side of all its connections to a space. One takes part: it brings what others write, and takes what is
 * written here. The others stand by, and take over when the scheduler says so: first the new one takes part, then the
 * old one stands down. Pure; the caller does what the effects say. Rules: SPEC.md, M1 to M13.
 */
export class MultipathSession {
  private readonly lines = new Map<PathId, Line>()
  private readonly scheduler: PathChoice
  private readonly inFlight = new EditsInFlight()
  private readonly pace = new EditPace()
  private strongId: PathId | undefined
  /** Strong requests went unanswered there. */
  private readonly strongSilent = new Set<PathId>()
  /** Edits up to this may have gone with a path that had received them: the next one has to be exchanged with. */
  private verifyUpTo = 0
  /** Since when somebody waits without anything being confirmed, and what was confirmed then. */
  private waitingFor: Waiting | undefined
  /** A path has been up to date since there was none. */
  private isCaughtUp = false
  private out = nothing()

  constructor(
    private readonly agentId: string,
    private readonly replica: Replica,
    private readonly outbox: Outbox,
    private readonly options: MultipathOptions,
  ) {
    this.scheduler = options.scheduler ?? new PathScheduler()
  }

  /** The path that takes part; undefined while there is none. */
  get active(): PathId | undefined {
    const { active } = this.scheduler
    if (active !== undefined) return active
    for (const [id, { session }] of this.lines) if (!session.isStandby) return id
    return undefined
  }

  /** Edits flow: a path is up to date, or takes over from one that was. */
  get live(): boolean {
    for (const { session } of this.lines.values()) {
      if (!session.isStandby && (session.live || (this.isCaughtUp && session.ready))) return true
    }
    return false
  }

  /** The path that strong requests go over, if one takes them. */
  get strongPath(): PathId | undefined {
    return this.strongId
  }

  /** Edits that follow one that was sent within this time go together, in milliseconds. */
  get pauseMs(): number {
    return this.pace.pauseMs
  }

  /** When `timeout` wants to be called. */
  get deadlineMs(): number {
    let deadlineMs = Math.min(this.scheduler.deadlineMs, this.pace.dueMs)
    const isServed = this.activeSession?.live === true
    const waitsForFirst = this.scheduler.active === undefined && this.hasReadyStandby
    for (const line of this.lines.values()) {
      deadlineMs = Math.min(deadlineMs, line.session.deadline)
      if (line.session.isStandby) deadlineMs = Math.min(deadlineMs, line.news.dueMs)
      if (isServed && isUnready(line)) deadlineMs = Math.min(deadlineMs, unfitFrom(line))
      if (waitsForFirst && isStarting(line)) deadlineMs = Math.min(deadlineMs, silentFrom(line))
    }
    if (this.waitingFor !== undefined && this.hasReadyStandby) {
      deadlineMs = Math.min(deadlineMs, this.waitingFor.dueMs)
    }
    return deadlineMs
  }

  describe(id: PathId): PathDescription | undefined {
    const line = this.lines.get(id)
    if (line === undefined) return undefined
    const { session, news } = line
    return {
      kind: session.kind,
      isActive: id === this.active,
      session,
      report: this.scheduler.report(id),
      hasDiverged: news.hasDiverged,
    }
  }

  /** A connection is open. */
  opened(nowMs: number, id: PathId): MultipathEffects {
    const standsBy = this.active !== undefined
    const { hasOtherPaths } = this.options
    const session = new Session(this.agentId, this.replica, this.outbox, nowMs, { standsBy, hasOtherPaths })
    this.lines.set(id, { session, openedMs: nowMs, news: new StandbyNews(), isKnown: false })
    this.take(nowMs, id, session.opened())
    return this.done(nowMs)
  }

  /** A connection is gone. */
  closed(nowMs: number, id: PathId): MultipathEffects {
    this.lineEnded(nowMs, id)
    return this.done(nowMs)
  }

  receive(nowMs: number, id: PathId, frame: Uint8Array): MultipathEffects {
    const line = this.lines.get(id)
    if (line === undefined) return this.done(nowMs)
    this.take(nowMs, id, line.session.receive(nowMs, frame))
    // It went out in the answer to a step 1; in one to another path it might get lost with that.
    if (id === this.active && line.session.answeredUpTo >= this.pace.heldUpTo) this.pace.drop()
    return this.done(nowMs)
  }

  /** Updates were applied. */
  applied(nowMs: number): MultipathEffects {
    const { active, activeSession } = this
    if (activeSession !== undefined) this.take(nowMs, active!, activeSession.applied(nowMs))
    return this.done(nowMs)
  }

  /** An edit was made; the outbox has numbered it. */
  edit(nowMs: number, update: Uint8Array): MultipathEffects {
    if (!this.live) {
      // It will be in the next answer to a step 1; a path that was answered just now, and is not up to date yet, takes it.
      const { active, activeSession } = this
      if (activeSession !== undefined) this.take(nowMs, active!, activeSession.edit(update))
      return this.done(nowMs)
    }
    if (update.length > BULK_BYTES) {
      this.sendHeld(nowMs, true)
      this.sendEdits(nowMs, { update, span: { from: this.outbox.last, upTo: this.outbox.last } })
    } else {
      this.pace.add(update, this.outbox.last)
      this.sendHeld(nowMs, false)
    }
    return this.done(nowMs)
  }

  /** Somebody waits for a confirmation of all edits made so far, as the outbox knows. */
  hurry(nowMs: number): MultipathEffects {
    this.sendHeld(nowMs, true)
    // What is sent now says by itself that somebody waits.
    const told = new Set(this.out.send.map(({ path }) => path))
    for (const [id, { session }] of this.lines) if (!told.has(id)) this.take(nowMs, id, session.hurry())
    return this.done(nowMs)
  }

  /** This agent's presence, or that of neighbours it serves. Only ever the latest: a congested path gets the next. */
  presence(nowMs: number, update: Uint8Array): MultipathEffects {
    const { active, activeSession } = this
    if (activeSession?.congested === false) this.take(nowMs, active!, activeSession.presence(update))
    return this.done(nowMs)
  }

  strong(nowMs: number, request: StrongRequestMessage): MultipathEffects {
    const id = this.strongId
    if (id !== undefined) this.take(nowMs, id, this.lines.get(id)!.session.strong(request))
    return this.done(nowMs)
  }

  /** Strong requests go unanswered: another path is taken for them, if there is one, and this one is probed. */
  strongIsSilent(nowMs: number): MultipathEffects {
    const id = this.strongId
    if (id === undefined) return this.done(nowMs)
    this.strongSilent.add(id)
    const other = this.bestForStrong()
    if (other === undefined) this.strongSilent.clear()
    this.strongId = other ?? id
    this.take(nowMs, id, this.lines.get(id)!.session.probe(nowMs))
    return this.done(nowMs)
  }

  /** Bytes that wait in a path's socket, whenever that has changed. */
  buffered(nowMs: number, id: PathId, bytes: number): MultipathEffects {
    const line = this.lines.get(id)
    if (line === undefined) return this.done(nowMs)
    line.session.filled(nowMs, bytes > 0)
    const { bufferedBytesMax } = MULTIPATH_LIMITS
    if (bytes > bufferedBytesMax) line.session.congestion()
    else if (line.session.congested && bytes <= bufferedBytesMax / 2) {
      this.take(nowMs, id, line.session.relieved())
      // Presence went by meanwhile.
      if (id === this.active) this.out.announce = true
    }
    if (id === this.active && !this.mayChoose) this.pace.filled(bytes > BUSY_BYTES)
    if (line.isKnown) this.choose(nowMs, this.scheduler.buffered(nowMs, id, bytes))
    return this.done(nowMs)
  }

  /** A socket takes more of a large message. */
  sendMore(nowMs: number, id: PathId): MultipathEffects {
    const line = this.lines.get(id)
    if (line !== undefined) this.take(nowMs, id, line.session.sendMore())
    return this.done(nowMs)
  }

  /** Finds out now which paths still work, e.g. after the machine has slept. */
  probe(nowMs: number): MultipathEffects {
    for (const [id, { session }] of this.lines) this.take(nowMs, id, session.probe(nowMs))
    return this.done(nowMs)
  }

  /** `deadlineMs` has come. @param random from 0 to below 1 */
  timeout(nowMs: number, random: number): MultipathEffects {
    for (const [id, line] of this.lines) {
      if (line.session.deadline <= nowMs) this.take(nowMs, id, line.session.timeout(nowMs))
      if (line.session.isStandby && line.news.dueMs <= nowMs) this.checkNews(nowMs, id, line)
    }
    if (this.scheduler.deadlineMs <= nowMs) this.choose(nowMs, this.scheduler.timeout(nowMs, random))
    this.sendHeld(nowMs, false)
    return this.done(nowMs)
  }

  private get activeSession(): Session | undefined {
    const { active } = this
    return active === undefined ? undefined : this.lines.get(active)!.session
  }

  private get hasReadyStandby(): boolean {
    for (const { session } of this.lines.values()) if (session.isStandby && session.ready) return true
    return false
  }

  private sendHeld(nowMs: number, isUrgent: boolean): void {
    const batch = this.pace.take(nowMs, isUrgent)
    if (batch !== undefined) this.sendEdits(nowMs, batch)
  }

  private sendEdits(nowMs: number, batch: EditBatch): void {
    const message = this.mayChoose ? this.inFlight.add(nowMs, batch) : undefined
    if (message !== undefined) {
      const { id, update } = message
      const traffic = update.length > BULK_BYTES ? 'bulk' : 'interactive'
      this.choose(nowMs, this.scheduler.submit(nowMs, { id, bytes: update.length, traffic }))
      return
    }
    // Whatever becomes of the path, the next exchange has all of it.
    const { active, activeSession } = this
    if (activeSession !== undefined) {
      this.take(nowMs, active!, activeSession.edit(batch.update, batch.span))
    }
  }

  /** There are several ways, answers tell which are good, and not too much waits for them. */
  private get mayChoose(): boolean {
    const { active, isFull } = this.scheduler
    if (active === undefined || isFull || !this.options.hasOtherPaths) return false
    return this.lines.get(active)!.session.kind === 'relay'
  }

  private choose(nowMs: number, { send, probe, switched }: PathEffects): void {
    if (switched !== undefined) {
      this.out.switched = switched
      this.pace.moved()
      this.takePart(nowMs, switched.to)
      // Also over one that has not stood down yet: presence belongs to the path that brought it last.
      if (switched.from !== undefined && switched.to !== undefined) this.out.announce = true
    }
    for (const { path, id } of send) {
      const message = this.inFlight.get(id)
      const line = this.lines.get(path)
      if (message === undefined || line === undefined) continue
      this.inFlight.sent(id, path)
      this.take(nowMs, path, line.session.edit(message.update, message.span))
    }
    for (const path of probe) {
      const line = this.lines.get(path)
      if (line !== undefined) this.take(nowMs, path, line.session.probe(nowMs))
    }
  }

  private takePart(nowMs: number, id: PathId | undefined): void {
    const line = id === undefined ? undefined : this.lines.get(id)
    if (line?.session.isStandby) this.take(nowMs, id!, line.session.activate())
  }

  /** Does what one path's session asks for. */
  private take(nowMs: number, id: PathId, effects: SessionEffects): void {
    const { out } = this
    if (effects.epoch !== undefined) out.epoch = effects.epoch
    out.apply.push(...effects.apply)
    out.presence.push(...effects.presence)
    for (const frame of effects.send) out.send.push({ path: id, frame })
    if (effects.strong !== undefined && id === this.strongId) out.strong.push(...effects.strong)
    if (effects.problem !== undefined) out.problems.push({ path: id, problem: effects.problem })
    if (effects.more) out.more.push(id)
    out.announce ||= effects.announce === true
    if (effects.roundTripMs !== undefined && this.lines.get(id)?.isKnown) {
      this.choose(nowMs, this.scheduler.answered(nowMs, id, effects.roundTripMs))
    }
    if (effects.answered !== undefined) this.answered(nowMs, id, effects.answered)
    if (effects.news !== undefined) {
      const { roundTripMs = 0 } = this.activeReport ?? {}
      this.lines.get(id)?.news.heard(nowMs, effects.news, this.replica, roundTripMs)
    }
    if (effects.close !== undefined) this.close(nowMs, id, effects.close)
  }

  private get activeReport(): PathReport | undefined {
    const { active } = this.scheduler
    return active === undefined ? undefined : this.scheduler.report(active)
  }

  private answered(nowMs: number, id: PathId, spans: NonNullable<SessionEffects['answered']>): void {
    const { first, copies } = this.inFlight.answered(id, spans)
    for (const copy of copies) this.choose(nowMs, this.scheduler.acknowledged(nowMs, id, copy))
    for (const message of first) {
      if (id === this.scheduler.active) this.pace.answered(nowMs, nowMs - message.sentMs)
      this.choose(nowMs, this.scheduler.acknowledged(nowMs, id, message.id))
    }
  }

  private checkNews(nowMs: number, id: PathId, { news, session }: Line): void {
    const { active } = this.scheduler
    const { ask, late } = news.check(nowMs, this.replica)
    if (ask) this.take(nowMs, id, session.ask())
    if (late && active !== undefined) this.choose(nowMs, this.scheduler.overdue(nowMs, active))
    // Also where something is missing in between: who misses it may have what others miss.
    const isAtRest = this.outbox.unconfirmed === 0 && this.pace.heldUpTo === 0
    const wanted = news.compare(nowMs, this.replica, isAtRest)
    if (wanted === 'exchange') this.take(nowMs, id, session.activate())
    if (wanted === 'verify' && active !== undefined) {
      this.take(nowMs, active, this.lines.get(active)!.session.verify())
    }
  }

  private close(
    nowMs: number,
    id: PathId,
    { code, reason }: { code: number; reason: string },
    isUnfit = false,
  ): void {
    if (!this.lines.has(id)) return
    this.out.close.push({ path: id, code, reason, isUnfit })
    this.lineEnded(nowMs, id)
  }

  private lineEnded(nowMs: number, id: PathId): void {
    const line = this.lines.get(id)
    if (line === undefined) return
    this.lines.delete(id)
    this.inFlight.ended(id)
    if (line.session.hasUnconfirmed) this.verifyUpTo = this.outbox.last
    this.strongSilent.delete(id)
    if (this.strongId === id) this.strongId = undefined
    if (line.isKnown) this.choose(nowMs, this.scheduler.closed(nowMs, id))
  }

  /** What follows from where things are now, whatever happened. */
  private done(nowMs: number): MultipathEffects {
    this.introduce(nowMs)
    if (this.active === undefined) this.takePart(nowMs, this.lines.keys().next().value)
    if (this.activeSession?.live) this.isCaughtUp = true
    else if (this.lines.size === 0) this.isCaughtUp = false
    this.standDown(nowMs)
    this.verifyActive(nowMs)
    this.checkWaiting(nowMs)
    this.strongId = this.strongPathNow()
    const { out } = this
    this.out = nothing()
    return out
  }

  /** Tells the scheduler of paths that can be used from now on. */
  private introduce(nowMs: number): void {
    let mayTakeOver = true
    for (const line of this.lines.values()) {
      if (isPlainServer(line) || (isStarting(line) && nowMs < silentFrom(line))) mayTakeOver = false
    }
    for (const [id, line] of this.lines) {
      // A plain server cannot stand by, and answers nothing that a choice could go by.
      if (line.isKnown || !line.session.ready || isPlainServer(line)) continue
      // Who came first is about to take part, and would only be taken over for a moment.
      if (line.session.isStandby && this.scheduler.active === undefined && !mayTakeOver) continue
      line.isKnown = true
      this.choose(nowMs, this.scheduler.opened(nowMs, id))
    }
  }

  /** Once the active path is up to date no other one need take part. */
  private standDown(nowMs: number): void {
    const { active, activeSession } = this
    if (activeSession?.live !== true) return
    for (const [id, line] of [...this.lines]) {
      if (id === active) continue
      const { session } = line
      const isUnfit =
        activeSession.letsStandBy !== true ||
        session.letsStandBy === false ||
        (!session.isStandby && session.live && session.letsStandBy === undefined)
      const isLate = isUnready(line) && nowMs >= unfitFrom(line)
      // A relay says hello before anything else; who says nothing may be one.
      if (isLate && !session.hasHeard) this.close(nowMs, id, SILENT)
      else if (isUnfit || isLate) this.close(nowMs, id, NOT_BESIDE_OTHERS, true)
      // One that is not up to date yet was given up for the active one, and need not be waited for.
      else if (session.live || isStarting(line)) this.take(nowMs, id, session.standDown())
    }
  }

  /**
   * What a path received that has ended since is sent again by nobody, and may be on no disk. An exchange sends what the
   * active relay lacks of it, and has the rest confirmed.
   */
  private verifyActive(nowMs: number): void {
    const { active, activeSession, verifyUpTo } = this
    if (verifyUpTo === 0 || activeSession?.live !== true) return
    this.verifyUpTo = 0
    // It has exchanged meanwhile, or just begun to take part.
    if (activeSession.answeredUpTo >= verifyUpTo) return
    this.take(nowMs, active!, activeSession.verify())
  }

  /** Lines may be well where a disk is not. */
  private checkWaiting(nowMs: number): void {
    const { isAwaited, confirmed } = this.outbox
    if (!isAwaited || this.activeSession?.live !== true) {
      this.waitingFor = undefined
      return
    }
    if (this.waitingFor === undefined || this.waitingFor.confirmed !== confirmed) {
      const pauseMs = MULTIPATH_LIMITS.confirmWithinMs
      this.waitingFor = { dueMs: nowMs + pauseMs, pauseMs, confirmed }
    }
    if (nowMs < this.waitingFor.dueMs) return
    // What no relay takes is never confirmed, and must not be sent for ever.
    const pauseMs = 2 * this.waitingFor.pauseMs
    this.waitingFor = { dueMs: nowMs + pauseMs, pauseMs, confirmed }
    const { active } = this.scheduler
    if (active === undefined || this.activeSession.kind !== 'relay') return
    for (const [id, { session, isKnown }] of this.lines) {
      if (!session.isStandby || !isKnown || this.scheduler.report(id)?.state !== 'good') continue
      this.take(nowMs, id, session.activate())
      this.choose(nowMs, this.scheduler.overdue(nowMs, active))
      return
    }
  }

  /** It stays where it is as long as that answers: a change costs all watches and requests once more. */
  private strongPathNow(): PathId | undefined {
    const { strongId } = this
    if (strongId !== undefined && this.scheduler.report(strongId)?.state !== 'silent') {
      if (this.lines.get(strongId)?.session.takesStrong) return strongId
    }
    return this.bestForStrong()
  }

  private bestForStrong(): PathId | undefined {
    const { active } = this
    let best: PathId | undefined
    for (const [id, { session }] of this.lines) {
      if (!session.takesStrong || this.strongSilent.has(id)) continue
      if (this.scheduler.report(id)?.state === 'silent') continue
      if (best === undefined || id === active) best = id
    }
    return best
  }
}

/** So much waiting in a socket means that its line is slower than what is written. */
const BUSY_BYTES = 64 * 1024

const SILENT = { code: 4000, reason: 'the server says nothing' } as const
const NOT_BESIDE_OTHERS = { code: 1000, reason: 'another path is in use' } as const

/** It is up to date, and no relay has said hello. */
function isPlainServer({ session }: Line): boolean {
  return session.live && session.kind === 'server'
}

/** It should stand by, or could, but the other side has not said that it knows how. */
function isUnready({ session }: Line): boolean {
  return !session.ready && (session.isStandby || session.letsStandBy === undefined)
}

/** It takes part, but is not up to date yet, and was not before. */
function isStarting({ session, isKnown }: Line): boolean {
  return !session.isStandby && !session.ready && !isKnown
}

function unfitFrom({ openedMs }: Line): number {
  return openedMs + MULTIPATH_LIMITS.standbyWithinMs
}

function silentFrom({ session }: Line): number {
  return session.advancedMs + MULTIPATH_LIMITS.firstSilentMs
}

function nothing(): MultipathEffects {
  return { apply: [], presence: [], send: [], strong: [], problems: [], close: [], more: [], announce: false }
}
