/** Repeatable random numbers: sfc32 (Chris Doty-Humphrey's PractRand), started from one seed. */
export class Random {
  private a = 0x9e3779b9
  private b = 0x243f6a88
  private c: number
  private counter = 1

  constructor(seed: number) {
    this.c = seed >>> 0
    this.a ^= Math.floor(seed / 2 ** 32) >>> 0
    // The first numbers of similar seeds are similar.
    for (let i = 0; i < 12; i++) this.next()
  }

  /** At least 0 and below 1. */
  next(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (this.c << 21) | (this.c >>> 11)
    this.c = (this.c + t) | 0
    return (t >>> 0) / 2 ** 32
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** A whole number from 0, below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** At least `low`, below `high`. */
  between(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  /** Exponentially distributed, as the time to the next of independent events is. */
  around(mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }
}
