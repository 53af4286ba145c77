import type { Strategy } from '@skein/simulator'
import {
  PATH_LIMITS,
  type PathChoice,
  type PathEffects,
  type PathId,
  type PathReport,
  type SwitchReason,
  type Transmission,
} from '@skein/sync'

const NOTHING: PathEffects = { send: [], probe: [] }

/**
 * A simulated way to use several paths, as a session over real ones asks it. The messages go as the strategy says.
 * What others write comes over the path that was opened first, until it closes; or, where it `follows`, over the one
 * that was used last: what is sent over another comes back over that, as its relay cannot know whose it is.
 */
export class BaselineChoice implements PathChoice {
  /** Oldest first. */
  private readonly open: PathId[] = []
  private readonly roundTripsMs = new Map<PathId, number>()
  private readonly waiting = new Set<number>()

  private activeId: PathId | undefined

  constructor(
    private readonly strategy: Strategy,
    private readonly follows = false,
  ) {}

  get active(): PathId | undefined {
    return this.activeId
  }

  get isFull(): boolean {
    return this.waiting.size >= PATH_LIMITS.inFlightMax
  }

  get deadlineMs(): number {
    return this.strategy.deadlineMs
  }

  report(id: PathId): PathReport | undefined {
    if (!this.open.includes(id)) return undefined
    return {
      state: 'good',
      isActive: id === this.active,
      roundTripMs: this.roundTripsMs.get(id),
      reliability: 1,
      goodput: undefined,
      backlog: 0,
    }
  }

  opened(nowMs: number, id: PathId): PathEffects {
    this.open.push(id)
    const effects = this.strategy.opened(nowMs, id)
    return this.activeId === undefined ? this.switched(id, 'first', effects) : effects
  }

  closed(nowMs: number, id: PathId): PathEffects {
    this.open.splice(this.open.indexOf(id), 1)
    this.roundTripsMs.delete(id)
    const effects = this.strategy.closed(nowMs, id)
    return id === this.activeId ? this.switched(this.open[0], 'closed', effects) : effects
  }

  buffered(nowMs: number, id: PathId, bytes: number): PathEffects {
    return this.strategy.buffered(nowMs, id, bytes)
  }

  submit(nowMs: number, transmission: Transmission): PathEffects {
    this.waiting.add(transmission.id)
    const effects = this.strategy.submit(nowMs, transmission)
    const used = effects.send[0]?.path ?? this.activeId
    return this.follows && used !== this.activeId ? this.switched(used, 'better', effects) : effects
  }

  acknowledged(nowMs: number, id: PathId, message: number): PathEffects {
    this.waiting.delete(message)
    return this.strategy.acknowledged(nowMs, id, message)
  }

  answered(nowMs: number, id: PathId, roundTripMs: number): PathEffects {
    this.roundTripsMs.set(id, roundTripMs)
    return this.strategy.answered(nowMs, id, roundTripMs)
  }

  /** None of them notices that. */
  overdue(): PathEffects {
    return NOTHING
  }

  timeout(nowMs: number, random: number): PathEffects {
    return this.strategy.timeout(nowMs, random)
  }

  private switched(to: PathId | undefined, reason: SwitchReason, effects: PathEffects): PathEffects {
    const from = this.activeId
    this.activeId = to
    return { ...effects, switched: { from, to, reason } }
  }
}
