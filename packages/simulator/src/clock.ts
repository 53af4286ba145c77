/** A member's own clock: it runs a little fast or slow, and jumps when it is told to. */
export class Clock {
  private sinceMs = 0
  private baseMs: number

  constructor(
    private rate: number,
    startMs: number,
  ) {
    this.baseMs = startMs
  }

  /** What it shows at a time of the world. */
  at(worldMs: number): number {
    return this.baseMs + (worldMs - this.sinceMs) * this.rate
  }

  /** The time of the world at which it shows `localMs`. */
  whenShows(localMs: number): number {
    return this.sinceMs + (localMs - this.baseMs) / this.rate
  }

  change(worldMs: number, jumpMs: number, rate: number): void {
    this.baseMs = this.at(worldMs) + jumpMs
    this.sinceMs = worldMs
    this.rate = rate
  }
}
