import type { PathEffects, PathId, Traffic, Transmission } from '@skein/sync'
import { Violation } from '../checks/violation.js'
import { Random } from '../random.js'
import type { SeedResult } from '../run-seed.js'
import { PathChecks } from './checks.js'
import type { LineOptions } from './line.js'
import type { PathScheduler, SchedulerModule } from './scheduler-module.js'
import type { Strategy } from './strategy.js'
import { PathWorld } from './world.js'

export interface PathSeedOptions {
  readonly seed: number
  readonly scheduler: SchedulerModule
  readonly log?: (line: string) => void
}

/** After the faults: every connection is closed and opened at the latest by then, and everything sent again. */
const SETTLE_MS = 60_000
const STEPS_MAX = 400_000

/** Several paths of any kind, faults of any kind, and then a time without. */
export function runPathSeed({ seed, scheduler: module, log }: PathSeedOptions): SeedResult {
  const random = new Random(seed)
  const scheduler = new module.PathScheduler()
  const checks = new PathChecks(scheduler)
  let world: PathWorld | undefined
  try {
    const watched = new Watched(scheduler, checks, () => world!, log)
    world = new PathWorld(random, lines(random), watched)
    playOut(world, random, scheduler, checks, log)
    checks.ended(world)
    return { operations: world.messages.length, violation: undefined }
  } catch (error) {
    const check = error instanceof Violation ? error.check : 'no exception'
    const message = error instanceof Violation ? error.message : String((error as Error).stack)
    log?.(`violation of ${check}: ${message}`)
    return { operations: world?.messages.length ?? 0, violation: { check, message } }
  }
}

function lines(random: Random): LineOptions[] {
  const hasBursts = random.chance(0.3)
  const isNarrow = random.chance(0.2)
  return Array.from({ length: 1 + random.below(4) }, () => ({
    delayMs: random.between(1, 120),
    jitter: random.chance(0.5) ? 0 : random.between(0, 0.8),
    rate: isNarrow ? random.between(20, 60) : 1_000,
    burstEveryMs: random.between(2_000, 10_000),
    burstMs: hasBursts ? random.between(20, 400) : 0,
  }))
}

function playOut(
  world: PathWorld,
  random: Random,
  scheduler: PathScheduler,
  checks: PathChecks,
  log: PathSeedOptions['log'],
): void {
  const { events } = world
  const durationMs = random.between(3_000, 30_000)
  const faultEveryMs = random.pick([500, 2_000, 8_000, Number.POSITIVE_INFINITY])
  const classes: readonly Traffic[] = random.chance(0.5)
    ? ['interactive']
    : ['interactive', 'critical', 'bulk', 'presence']
  // A burst is a fault of every path; a narrow line one as soon as more is sent than it carries.
  const isNarrow = world.lines.some(({ rate }) => rate < 1_000)
  // Not more than the narrowest carries, or it would take for ever.
  const messageEveryMs = random.pick(isNarrow ? [400, 4_000] : [5, 50, 50, 400, 4_000])
  // So much in bulk fills any line for seconds when it is sent again.
  const isFlooded = messageEveryMs === 5 && classes.includes('bulk')
  const isSound = !isFlooded && !isNarrow && world.lines.every(({ burstMs }) => burstMs === 0)
  for (const path of world.lines.keys()) if (!isSound) events.after(0, () => checks.neverSound(path))

  const submit = () => {
    if (events.nowMs >= durationMs) return
    const traffic = random.pick(classes)
    const bytes = Math.ceil(random.around(traffic === 'bulk' ? 8_000 : 150))
    if (!scheduler.isFull) world.submit(bytes, traffic)
    events.after(random.around(messageEveryMs), submit)
  }
  events.after(random.between(0, 1_000), submit)

  const fail = () => {
    if (events.nowMs >= durationMs) return
    const path = random.below(world.lines.length)
    if (random.chance(0.4)) {
      log?.(`${events.nowMs.toFixed(0)} path ${path} closes`)
      world.fail(path, { kind: 'close' })
    } else {
      const holeMs = random.around(3_000)
      const way = random.pick(['up', 'down', 'both'] as const)
      log?.(`${events.nowMs.toFixed(0)} path ${path} is silent ${way} for ${holeMs.toFixed(0)}`)
      checks.holeBegins(path, events.nowMs)
      world.fail(path, { kind: 'hole', way, durationMs: holeMs })
      // Frames that were held come all at once, and the next one is in time again.
      events.after(holeMs + 1_000, () => checks.holeEnded(path, events.nowMs))
    }
    events.after(random.around(faultEveryMs), fail)
  }
  if (faultEveryMs < Number.POSITIVE_INFINITY) events.after(random.around(faultEveryMs), fail)

  let steps = 0
  const runUntil = (untilMs: number) => {
    while (events.step(untilMs)) {
      checks.settled()
      if (++steps > STEPS_MAX)
        throw new Violation('ends', `${STEPS_MAX} steps in ${events.nowMs.toFixed(0)} ms`)
    }
  }
  runUntil(durationMs + SETTLE_MS)
  // With much jitter a path may have missed two deadlines just now.
  for (let i = 0; i < 10 && checks.hasSilent(); i++) runUntil(events.nowMs + 1_000)
}

/** The scheduler with the checks around it. */
class Watched implements Strategy {
  constructor(
    private readonly scheduler: PathScheduler,
    private readonly checks: PathChecks,
    private readonly world: () => PathWorld,
    private readonly log: PathSeedOptions['log'],
  ) {}

  get deadlineMs(): number {
    return this.scheduler.deadlineMs
  }

  opened(nowMs: number, path: PathId): PathEffects {
    this.checks.pathOpened(path, nowMs)
    return this.check(this.scheduler.opened(nowMs, path))
  }

  closed(nowMs: number, path: PathId): PathEffects {
    this.checks.pathClosed(path, nowMs)
    return this.check(this.scheduler.closed(nowMs, path))
  }

  buffered(nowMs: number, path: PathId, bytes: number): PathEffects {
    return this.check(this.scheduler.buffered(nowMs, path, bytes))
  }

  submit(nowMs: number, transmission: Transmission): PathEffects {
    const effects = this.check(this.scheduler.submit(nowMs, transmission))
    this.checks.submitted(this.world(), transmission.id, effects.send)
    return effects
  }

  acknowledged(nowMs: number, path: PathId, id: number): PathEffects {
    return this.check(this.scheduler.acknowledged(nowMs, path, id))
  }

  answered(nowMs: number, path: PathId, roundTripMs: number): PathEffects {
    return this.check(this.scheduler.answered(nowMs, path, roundTripMs))
  }

  timeout(nowMs: number, random: number): PathEffects {
    const effects = this.check(this.scheduler.timeout(nowMs, random))
    if (this.scheduler.deadlineMs <= nowMs)
      throw new Violation('ends', `a deadline of ${nowMs} is still due after it`)
    return effects
  }

  private check(effects: PathEffects): PathEffects {
    const { log } = this
    const world = this.world()
    for (const send of effects.send) {
      log?.(`${world.events.nowMs.toFixed(0)} ${send.why} of message ${send.id} over path ${send.path}`)
      this.checks.sent(world, send)
    }
    for (const path of effects.probe) log?.(`${world.events.nowMs.toFixed(0)} probe of path ${path}`)
    const { switched } = effects
    if (switched !== undefined)
      log?.(
        `${world.events.nowMs.toFixed(0)} from path ${switched.from} to ${switched.to}: ${switched.reason}`,
      )
    return effects
  }
}
