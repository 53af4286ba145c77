/** How many kills, joins and so on: what `pnpm faults --<name> N` asked for, or the short form's number. */
export function setting(name: string, short: number): number {
  return Number(process.env[`SKEIN_FAULTS_${name.toUpperCase().replaceAll('-', '_')}`] ?? short)
}

/** Random choices of one test, all from one seed: SKEIN_SEED, or a new one. It is printed. */
export function seededRandom(what: string): Random {
  const seed = Number(process.env.SKEIN_SEED ?? Math.floor(Math.random() * 2 ** 31))
  console.log(`${what}: seed ${seed}; repeat with SKEIN_SEED=${seed} npx vitest run e2e/faults/${what}`)
  return new Random(seed)
}

/** Mulberry32: small, seeded, good enough to drive a test. */
export class Random {
  private state: number

  constructor(readonly seed: number) {
    this.state = seed >>> 0
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** A whole number from 0 up to, not including, `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }

  bytes(length: number): Uint8Array {
    return new Uint8Array(length).map(() => this.below(256))
  }

  /** Text that no compression makes smaller. */
  text(length: number): string {
    return Buffer.from(this.bytes(Math.ceil((length * 3) / 4)))
      .toString('base64')
      .slice(0, length)
  }
}
