import { Violation } from './violation.js'

interface Term {
  readonly holder: string
  readonly fromMs: number
  readonly untilMs: number
}

/** L1-L3: no two hold a lease at a time, fences rise from holder to holder, and the resource can rely on them. */
export class LeaseCheck {
  private readonly terms: Term[] = []
  private readonly taken_: { readonly version: number; readonly fence: number }[] = []
  private highestFence = 0
  private lastActor = ''

  /** By the holder's own clock, put in the world's time. */
  holds(holder: string, fromMs: number, untilMs: number): void {
    const other = this.terms.find(
      (term) => term.holder !== holder && term.fromMs < untilMs && fromMs < term.untilMs,
    )
    if (other !== undefined) {
      throw new Violation(
        'lease',
        `${holder} from ${fromMs} to ${untilMs}, ${other.holder} from ${other.fromMs} to ${other.untilMs}`,
      )
    }
    this.terms.push({ holder, fromMs, untilMs })
  }

  taken(holder: string, version: number, fence: number): void {
    for (const other of this.taken_) {
      const isLater = version > other.version
      if (isLater === fence > other.fence && fence !== other.fence) continue
      throw new Violation(
        'lease fence',
        `${holder} took v${version} f${fence}; v${other.version} had f${other.fence}`,
      )
    }
    this.taken_.push({ version, fence })
  }

  /** What reaches the resource. Lower fences it refuses; under one fence there is one holder. */
  acts(holder: string, fence: number): void {
    if (fence < this.highestFence) return
    if (fence === this.highestFence && holder !== this.lastActor) {
      throw new Violation('lease fence', `${holder} and ${this.lastActor} act under f${fence}`)
    }
    this.highestFence = fence
    this.lastActor = holder
  }
}
