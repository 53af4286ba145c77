import { PATH_LIMITS } from './limits.js'
import { Path, type PathId } from './path.js'
import type { PathState } from './path-state.js'

/**
 * - `critical`: strong operations, safety actions; two paths at once
 * - `interactive`: what people wait to see; one path, and a second where the first takes unusually long
 * - `bulk`: a lot of bytes; one path
 * - `presence`: only the latest counts; one path, never again
 */
export type Traffic = 'critical' | 'interactive' | 'bulk' | 'presence'

export interface Transmission {
  /** Never used before. */
  readonly id: number
  readonly bytes: number
  readonly traffic: Traffic
}

/** A message to be handed to a path. `again`: another path may have lost it. */
export interface Send {
  readonly path: PathId
  readonly id: number
  readonly why: 'first' | 'copy' | 'hedge' | 'again'
}

/**
 * `first`: there was none before; `closed`: its connection ended; `silent`: it did not answer any more;
 * `backlog`: more waited for it than it carries; `better`: another has been better for a while
 */
export type SwitchReason = 'first' | 'closed' | 'silent' | 'backlog' | 'better'

export interface PathSwitch {
  readonly from: PathId | undefined
  /** Undefined where there is no path left. */
  readonly to: PathId | undefined
  readonly reason: SwitchReason
}

export interface PathEffects {
  readonly send: readonly Send[]
  /** Paths to send a probe over; `answered` tells of its answer. */
  readonly probe: readonly PathId[]
  readonly switched?: PathSwitch
}

/** What is known of a path, for people. */
export interface PathReport {
  readonly state: PathState
  readonly isActive: boolean
  /** Smoothed, in milliseconds. */
  readonly roundTripMs: number | undefined
  /** Share answered in time, from 0 to 1. */
  readonly reliability: number
  /** Bytes per second. */
  readonly goodput: number | undefined
  /** Bytes on their way or waiting. */
  readonly backlog: number
}

interface Message extends Transmission {
  readonly over: Set<PathId>
}

interface Effects {
  send: Send[]
  probe: PathId[]
  switched?: PathSwitch
}

/** How fast what is known of the application's load fades, in milliseconds. */
const LOAD_FADES_MS = 1_000
/** Another path serves while the active one stands still if it is not so many times worse. */
const DETOUR_WORTH = 3
/** Bytes per millisecond from which on the application counts as busy. */
const BUSY_LOAD = 0.001

/**
 * Chooses among several paths to the same space, which all lead to everybody. One of them is active; the
 * others are kept warm. It knows sizes and times only: the caller keeps the messages until one path has
 * acknowledged them. Pure. Rules: SPEC.md, A1 to A12.
 */
export class PathScheduler {
  private readonly paths = new Map<PathId, Path>()
  private readonly inFlight = new Map<number, Message>()
  /** When interactive messages that went over one path are hedged, soonest first. */
  private readonly hedgeable = new Map<number, number>()
  private lastHedgeMs = 0
  private hedgeBytes: number = PATH_LIMITS.hedgeBytesFirst
  private activeId: PathId | undefined
  private lastSwitchMs = Number.NEGATIVE_INFINITY
  private lastSubmitMs = Number.NEGATIVE_INFINITY
  private loadMs = 0
  private load = 0
  private betterId: PathId | undefined
  private betterCount = 0
  private nextSampleMs = Number.POSITIVE_INFINITY

  /** The path that messages go over; undefined while none is open. */
  get active(): PathId | undefined {
    return this.activeId
  }

  /** Whether so much waits for acknowledgements that no more is taken. */
  get isFull(): boolean {
    return this.inFlight.size >= PATH_LIMITS.inFlightMax
  }

  /** When `timeout` wants to be called. */
  get deadlineMs(): number {
    let deadlineMs = this.nextSampleMs
    for (const path of this.paths.values()) deadlineMs = Math.min(deadlineMs, path.deadlineMs)
    for (const hedgeMs of this.hedgeable.values()) return Math.min(deadlineMs, hedgeMs)
    return deadlineMs
  }

  report(id: PathId): PathReport | undefined {
    const path = this.paths.get(id)
    if (path === undefined) return undefined
    const { roundTripMs, reliability, goodput } = path.estimates
    return {
      state: path.state,
      isActive: id === this.activeId,
      roundTripMs,
      reliability,
      goodput: goodput === undefined ? undefined : goodput * 1_000,
      backlog: path.backlog,
    }
  }

  /** A path can be used from now on. @param cost 1 for a path like others */
  opened(nowMs: number, id: PathId, cost = 1): PathEffects {
    const out = effects()
    let path = this.paths.get(id)
    if (path === undefined) {
      path = new Path(id, cost)
      this.paths.set(id, path)
    }
    path.opened(nowMs)
    if (this.activeId === undefined) this.switchTo(nowMs, path, 'first', out)
    else this.leaveSilent(nowMs, out)
    return out
  }

  /** A path is gone; nothing that was sent over it will be acknowledged over it any more. */
  closed(nowMs: number, id: PathId): PathEffects {
    const out = effects()
    const path = this.paths.get(id)
    if (path === undefined) return out
    path.closed()
    for (const { over } of this.inFlight.values()) over.delete(id)
    if (id === this.activeId) this.switchTo(nowMs, this.best(), 'closed', out)
    this.sendLost(nowMs, out)
    return out
  }

  /** Bytes that wait in a path's socket. */
  buffered(nowMs: number, id: PathId, bytes: number): PathEffects {
    const out = effects()
    const path = this.paths.get(id)
    if (path === undefined) return out
    path.buffered = bytes
    this.leaveBacklog(nowMs, out)
    return out
  }

  /** @throws RangeError where `isFull` */
  submit(nowMs: number, transmission: Transmission): PathEffects {
    const out = effects()
    const { id, bytes, traffic } = transmission
    if (traffic === 'presence') {
      if (this.activeId !== undefined) out.send.push({ path: this.activeId, id, why: 'first' })
      return out
    }
    if (this.isFull) throw new RangeError(`${this.inFlight.size} messages wait for an acknowledgement`)
    const wasIdle = nowMs - this.lastSubmitMs > PATH_LIMITS.idleMs
    this.noteLoad(nowMs, bytes, wasIdle)
    const message: Message = { ...transmission, over: new Set() }
    this.inFlight.set(id, message)
    this.leaveBacklog(nowMs, out)
    const active = this.way()
    if (active === undefined) return out
    this.put(nowMs, active, message, 'first', out)
    if (traffic === 'bulk') return out
    if (traffic === 'critical' || wasIdle || active.state !== 'good') {
      this.putOnSecond(nowMs, message, 'copy', out)
    } else {
      this.hedgeBytes = Math.min(PATH_LIMITS.hedgeBytesMax, this.hedgeBytes + PATH_LIMITS.hedgeShare * bytes)
      this.lastHedgeMs = Math.max(this.lastHedgeMs, nowMs + active.estimates.usualMs)
      this.hedgeable.set(id, this.lastHedgeMs)
    }
    return out
  }

  /** A message was acknowledged over a path; over which others it went does not matter any more. */
  acknowledged(nowMs: number, id: PathId, message: number): PathEffects {
    this.paths.get(id)?.acknowledged(nowMs, message)
    this.inFlight.delete(message)
    this.hedgeable.delete(message)
    if (this.activePath?.state !== 'silent') return NOTHING
    const out = effects()
    this.leaveSilent(nowMs, out)
    return out
  }

  /** The answer to a probe. */
  answered(nowMs: number, id: PathId, roundTripMs: number): PathEffects {
    const out = effects()
    this.paths.get(id)?.answered(nowMs, roundTripMs)
    this.leaveSilent(nowMs, out)
    // Nothing is on its way that a change could disturb.
    if (this.inFlight.size === 0 && !this.isBusy(nowMs)) this.changeIfBetter(nowMs, 1, out)
    return out
  }

  /**
   * Something arrived over other paths that this one should have brought by now: taken for an answer that it
   * missed.
   */
  overdue(nowMs: number, id: PathId): PathEffects {
    const out = effects()
    const path = this.paths.get(id)
    if (path?.state !== 'good') return out
    path.overdue(nowMs)
    this.becameSuspect(nowMs, path, out)
    return out
  }

  /** `deadlineMs` has come. @param random from 0 to below 1, for the pauses of probes */
  timeout(nowMs: number, random: number): PathEffects {
    const out = effects()
    for (const path of this.paths.values()) {
      if (path.missed(nowMs)) this.becameSuspect(nowMs, path, out)
      path.checkAnswered(nowMs)
    }
    this.leaveSilent(nowMs, out)
    this.hedge(nowMs, out)
    for (const path of this.paths.values()) {
      if (path.probeIsDueMs > nowMs) continue
      out.probe.push(path.id)
      path.probed(nowMs, this.isBusy(nowMs), random)
    }
    if (nowMs >= this.nextSampleMs) this.sample(nowMs, out)
    return out
  }

  private get activePath(): Path | undefined {
    return this.activeId === undefined ? undefined : this.paths.get(this.activeId)
  }

  /**
   * The active path, or another while that one stands still: a moment of that is no reason to leave it, but none
   * to queue behind it either.
   */
  private way(): Path | undefined {
    const active = this.activePath
    if (active?.isStalled !== true) return active
    const other = this.best(new Set([active.id]))
    if (other?.state !== 'good' || other.isStalled) return active
    return other.score(0, this.load) * DETOUR_WORTH > active.score(0, this.load) ? other : active
  }

  /** Whatever answers is better than what does not. */
  private leaveSilent(nowMs: number, out: Effects): void {
    if (this.activePath?.state !== 'silent') return
    const best = this.best()
    if (best !== undefined && best.state !== 'silent') this.switchTo(nowMs, best, 'silent', out)
  }

  /** What one path owes goes over another as well; there is nothing else to do while there is only one. */
  private becameSuspect(nowMs: number, path: Path, out: Effects): void {
    for (const message of this.inFlight.values()) {
      if (message.traffic === 'bulk' || !message.over.has(path.id)) continue
      const isElsewhere = [...message.over].some((id) => this.paths.get(id)!.state === 'good')
      if (!isElsewhere) this.putOnSecond(nowMs, message, 'again', out)
    }
  }

  private put(nowMs: number, path: Path, message: Message, why: Send['why'], out: Effects): void {
    message.over.add(path.id)
    if (this.nextSampleMs === Number.POSITIVE_INFINITY) this.nextSampleMs = nowMs + PATH_LIMITS.sampleEveryMs
    path.sent(nowMs, message.id, message.bytes)
    out.send.push({ path: path.id, id: message.id, why })
    if (message.over.size > 1) this.hedgeable.delete(message.id)
  }

  private putOnSecond(nowMs: number, message: Message, why: Send['why'], out: Effects): boolean {
    const second = this.best(message.over, message.bytes)
    if (second === undefined || second.state === 'silent') return false
    this.put(nowMs, second, message, why, out)
    return true
  }

  private hedge(nowMs: number, out: Effects): void {
    for (const [id, hedgeMs] of this.hedgeable) {
      if (hedgeMs > nowMs) return
      this.hedgeable.delete(id)
      const message = this.inFlight.get(id)
      if (message === undefined) continue
      for (const path of message.over) this.paths.get(path)!.isStalled = true
      if (message.bytes > this.hedgeBytes) continue
      if (this.putOnSecond(nowMs, message, 'hedge', out)) this.hedgeBytes -= message.bytes
    }
  }

  private switchTo(nowMs: number, to: Path | undefined, reason: SwitchReason, out: Effects): void {
    const from = this.activeId
    if (to?.id === from) return
    this.activeId = to?.id
    if (from !== undefined) this.lastSwitchMs = nowMs
    this.betterCount = 0
    // One step may switch twice; who acts on it wants to know where it came from and where it is now.
    out.switched = { from: out.switched === undefined ? from : out.switched.from, to: to?.id, reason }
    if (to === undefined) return
    // One that still delivers need not be helped.
    if (reason === 'better' || reason === 'backlog') return
    for (const message of this.inFlight.values()) {
      if (!message.over.has(to.id)) this.put(nowMs, to, message, 'again', out)
    }
  }

  /** What went over a path that has closed only. */
  private sendLost(nowMs: number, out: Effects): void {
    const active = this.activePath
    if (active === undefined) return
    for (const message of this.inFlight.values()) {
      if (message.over.size === 0) this.put(nowMs, active, message, 'again', out)
    }
  }

  private leaveBacklog(nowMs: number, out: Effects): void {
    const active = this.activePath
    if (active === undefined || active.backlog <= PATH_LIMITS.backlogBytesMax) return
    const best = this.best(new Set([active.id]))
    if (best === undefined || best.state !== 'good' || best.backlog > PATH_LIMITS.backlogBytesMax / 2) return
    this.switchTo(nowMs, best, 'backlog', out)
  }

  /** The best open path: good before suspect before silent, then by score. */
  private best(except: ReadonlySet<PathId> = NONE, size = 0): Path | undefined {
    let best: Path | undefined
    for (const path of this.paths.values()) {
      if (!path.isOpen || except.has(path.id)) continue
      if (best === undefined || this.isBefore(path, best, size)) best = path
    }
    return best
  }

  private isBefore(a: Path, b: Path, size: number): boolean {
    const rank = RANK[a.state] - RANK[b.state]
    return rank === 0 ? a.score(size, this.load) > b.score(size, this.load) : rank < 0
  }

  private sample(nowMs: number, out: Effects): void {
    this.noteLoad(nowMs, 0, false)
    const isBusy = this.isBusy(nowMs)
    // Without a path nothing can get better.
    const mayChange = this.activeId !== undefined && (isBusy || this.inFlight.size > 0)
    this.nextSampleMs = mayChange ? nowMs + PATH_LIMITS.sampleEveryMs : Number.POSITIVE_INFINITY
    this.changeIfBetter(nowMs, PATH_LIMITS.betterSamples, out)
  }

  /** Whether another path has been better for so many samples. */
  private changeIfBetter(nowMs: number, samples: number, out: Effects): void {
    const active = this.activePath
    const best = this.best(active === undefined ? NONE : new Set([active.id]))
    const isBetter =
      active !== undefined &&
      best?.state === 'good' &&
      best.estimates.isSettled &&
      active.estimates.isSettled &&
      best.score(0, this.load) > PATH_LIMITS.betterBy * active.score(0, this.load)
    this.betterCount = isBetter && best.id === this.betterId ? this.betterCount + 1 : isBetter ? 1 : 0
    this.betterId = best?.id
    const mayAgain = nowMs - this.lastSwitchMs >= PATH_LIMITS.switchAfterMs
    if (mayAgain && this.betterCount >= samples) this.switchTo(nowMs, best, 'better', out)
  }

  private isBusy(nowMs: number): boolean {
    return this.load * Math.exp((this.loadMs - nowMs) / LOAD_FADES_MS) > BUSY_LOAD
  }

  private noteLoad(nowMs: number, bytes: number, wasIdle: boolean): void {
    this.load = this.load * Math.exp((this.loadMs - nowMs) / LOAD_FADES_MS) + bytes / LOAD_FADES_MS
    this.loadMs = nowMs
    if (bytes === 0) return
    this.lastSubmitMs = nowMs
    if (this.nextSampleMs === Number.POSITIVE_INFINITY) this.nextSampleMs = nowMs + PATH_LIMITS.sampleEveryMs
    if (wasIdle) for (const path of this.paths.values()) path.wake(nowMs)
  }
}

const RANK: Readonly<Record<PathState, number>> = { good: 0, suspect: 1, silent: 2, closed: 3 }
const NONE: ReadonlySet<PathId> = new Set()
const NOTHING: PathEffects = Object.freeze({ send: [], probe: [] })

function effects(): Effects {
  return { send: [], probe: [] }
}
