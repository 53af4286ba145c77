import type { PathEffects, PathId, Send, Transmission } from '@skein/sync'
import type { Strategy } from './strategy.js'

const NOTHING: PathEffects = { send: [], probe: [] }
const PROBE_EVERY_MS = 1_000

/**
 * What others do, to compare with: all of them send again what was not acknowledged when a connection ends, and
 * none of them notices a path that is silent.
 */
abstract class Baseline implements Strategy {
  protected readonly open = new Set<PathId>()
  protected readonly roundTrips = new Map<PathId, number>()
  private readonly waiting = new Map<number, Set<PathId>>()
  private nextProbeMs = 0

  /** Over which paths the next message goes. */
  protected abstract choose(): readonly PathId[]

  get deadlineMs(): number {
    return this.nextProbeMs
  }

  opened(_nowMs: number, path: PathId): PathEffects {
    this.open.add(path)
    return this.sendMissing()
  }

  closed(_nowMs: number, path: PathId): PathEffects {
    this.open.delete(path)
    for (const over of this.waiting.values()) over.delete(path)
    return this.sendMissing()
  }

  buffered(): PathEffects {
    return NOTHING
  }

  submit(_nowMs: number, { id }: Transmission): PathEffects {
    const over = new Set<PathId>()
    this.waiting.set(id, over)
    return { send: this.put(id, over), probe: [] }
  }

  acknowledged(_nowMs: number, _path: PathId, id: number): PathEffects {
    this.waiting.delete(id)
    return NOTHING
  }

  answered(_nowMs: number, path: PathId, roundTripMs: number): PathEffects {
    const known = this.roundTrips.get(path) ?? roundTripMs
    this.roundTrips.set(path, known + (roundTripMs - known) / 8)
    return NOTHING
  }

  timeout(nowMs: number): PathEffects {
    if (nowMs < this.nextProbeMs) return NOTHING
    this.nextProbeMs = nowMs + PROBE_EVERY_MS
    return { send: [], probe: [...this.open] }
  }

  private sendMissing(): PathEffects {
    const send: Send[] = []
    for (const [id, over] of this.waiting) if (over.size === 0) send.push(...this.put(id, over))
    return { send, probe: [] }
  }

  private put(id: number, over: Set<PathId>): Send[] {
    const send: Send[] = []
    for (const path of this.choose()) {
      over.add(path)
      send.push({ path, id, why: 'first' })
    }
    return send
  }
}

/** The first relay of the list, and nothing else while it is away. */
export class OneRelay extends Baseline {
  protected choose(): readonly PathId[] {
    return this.open.has(0) ? [0] : []
  }
}

export class RoundRobin extends Baseline {
  private turn = 0

  protected choose(): readonly PathId[] {
    const open = [...this.open]
    return open.length === 0 ? [] : [open[this.turn++ % open.length]!]
  }
}

/** The path with the lowest smoothed round trip. */
export class LowestRoundTrip extends Baseline {
  protected choose(): readonly PathId[] {
    const roundTrip = (path: PathId) => this.roundTrips.get(path) ?? 0
    const [lowest] = [...this.open].sort((a, b) => roundTrip(a) - roundTrip(b))
    return lowest === undefined ? [] : [lowest]
  }
}

export class AlwaysRedundant extends Baseline {
  protected choose(): readonly PathId[] {
    return [...this.open]
  }
}
