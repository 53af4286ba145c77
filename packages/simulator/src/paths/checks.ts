import { PATH_LIMITS, type PathId, type Send } from '@skein/sync'
import { Violation } from '../checks/violation.js'
import type { PathScheduler } from './scheduler-module.js'
import type { PathWorld } from './world.js'

/** A message that could have gone over a path without faults arrives within this time, in milliseconds. */
const PROMPT_MS = 3_000

/** What must be so whatever happens to the paths. */
export class PathChecks {
  /** Over which paths a message went since they were opened last. */
  private readonly over = new Map<number, Map<PathId, Send['why']>>()
  private hedgedBytes = 0
  private hedgeableBytes = 0
  private readonly opened = new Map<PathId, number>()
  /** For each path, from when on nothing has been wrong with it; Infinity while something is. */
  private readonly soundSince = new Map<PathId, number>()
  private readonly holes = new Map<PathId, number>()
  private readonly unsound = new Set<PathId>()
  private readonly soundPeriods: { readonly from: number; readonly to: number }[] = []

  constructor(private readonly scheduler: PathScheduler) {}

  pathOpened(path: PathId, nowMs: number): void {
    this.opened.set(path, nowMs)
    this.recovered(path, nowMs)
    for (const paths of this.over.values()) paths.delete(path)
  }

  pathClosed(path: PathId, nowMs: number): void {
    this.disturbed(path, nowMs)
    this.opened.delete(path)
    for (const paths of this.over.values()) paths.delete(path)
  }

  /** Several may overlap. */
  holeBegins(path: PathId, nowMs: number): void {
    this.disturbed(path, nowMs)
    this.holes.set(path, (this.holes.get(path) ?? 0) + 1)
  }

  holeEnded(path: PathId, nowMs: number): void {
    this.holes.set(path, this.holes.get(path)! - 1)
    this.recovered(path, nowMs)
  }

  /** Something is wrong with a path from now on. */
  private disturbed(path: PathId, nowMs: number): void {
    const from = this.soundSince.get(path)
    if (from !== undefined && from < nowMs) this.soundPeriods.push({ from, to: nowMs })
    this.soundSince.delete(path)
  }

  private recovered(path: PathId, nowMs: number): void {
    const isSound = this.opened.has(path) && !this.unsound.has(path) && !this.holes.get(path)
    if (isSound) this.soundSince.set(path, nowMs)
  }

  /** Something is always wrong with it. */
  neverSound(path: PathId): void {
    this.unsound.add(path)
    this.soundSince.delete(path)
  }

  sent(world: PathWorld, { path, id, why }: Send): void {
    const message = world.messages[id]!
    if (!this.opened.has(path))
      throw new Violation('open', `message ${id} was sent over path ${path}, which is closed`)
    if (message.traffic === 'presence') return
    if (message.acknowledgedMs !== undefined) {
      throw new Violation('needed', `message ${id} was sent again after it was acknowledged`)
    }
    const paths = this.over.get(id) ?? new Map<PathId, Send['why']>()
    this.over.set(id, paths)
    if (paths.has(path))
      throw new Violation('once', `message ${id} was sent twice over one connection of path ${path}`)
    paths.set(path, why)
    if (why === 'first' && message.traffic === 'interactive') this.hedgeableBytes += message.bytes
    if (why !== 'hedge') return
    this.hedgedBytes += message.bytes
    if (message.traffic !== 'interactive')
      throw new Violation('class', `message ${id} is ${message.traffic}, and was hedged`)
    const { hedgeBytesFirst, hedgeShare } = PATH_LIMITS
    if (this.hedgedBytes > hedgeBytesFirst + hedgeShare * this.hedgeableBytes) {
      throw new Violation('budget', `hedges took ${this.hedgedBytes} of ${this.hedgeableBytes} bytes`)
    }
  }

  submitted(world: PathWorld, id: number, sends: readonly Send[]): void {
    const { traffic } = world.messages[id]!
    const mine = sends.filter((send) => send.id === id)
    if (this.opened.size > 0 && mine.length === 0)
      throw new Violation('sent', `message ${id} was not sent at once`)
    const good = [...this.opened.keys()].filter((path) => this.scheduler.report(path)?.state === 'good')
    if (traffic === 'critical' && good.length > 1 && mine.length < 2) {
      throw new Violation('critical', `message ${id} went over one path of ${good.length} good ones`)
    }
    if (traffic === 'bulk' && mine.length > 1)
      throw new Violation('class', `bulk message ${id} went over two paths`)
  }

  /** After each step. */
  settled(): void {
    const { scheduler } = this
    const { active } = scheduler
    if (
      (active !== undefined) !== this.opened.size > 0 ||
      (active !== undefined && !this.opened.has(active))
    ) {
      throw new Violation('active', `path ${active} is active of ${[...this.opened.keys()]}`)
    }
    if (active === undefined || scheduler.report(active)!.state !== 'silent') return
    const good = [...this.opened.keys()].find((path) => scheduler.report(path)!.state === 'good')
    if (good !== undefined)
      throw new Violation('silent', `path ${active} is silent and active, ${good} is good`)
  }

  hasSilent(): boolean {
    return [...this.opened.keys()].some((path) => this.scheduler.report(path)!.state === 'silent')
  }

  /** At the end, a while after everything works again. */
  ended(world: PathWorld): void {
    if (this.hasSilent()) throw new Violation('recovered', 'a path is still silent')
    for (const path of [...this.soundSince.keys()]) this.disturbed(path, world.events.nowMs)
    for (const [id, { deliveredMs, acknowledgedMs, traffic, atMs }] of world.messages.entries()) {
      if (traffic === 'presence') continue
      if (deliveredMs === undefined) throw new Violation('lost', `message ${id} (${traffic}) never arrived`)
      if (acknowledgedMs === undefined)
        throw new Violation('acknowledged', `message ${id} was never acknowledged`)
      const hadSoundPath = this.soundPeriods.some(
        ({ from, to }) => from <= atMs - PROMPT_MS && to >= atMs + PROMPT_MS,
      )
      if (traffic !== 'bulk' && hadSoundPath && deliveredMs - atMs > PROMPT_MS) {
        throw new Violation(
          'prompt',
          `message ${id} took ${Math.round(deliveredMs - atMs)} ms beside a sound path`,
        )
      }
    }
  }
}
