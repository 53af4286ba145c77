import * as prng from 'lib0/prng'

/** A stream of pseudo-random choices; the same seed gives the same choices. */
export interface Random {
  /** An integer from `min` to `max`, both included. */
  int(min: number, max: number): number
  /** True in one of `n` cases. */
  oneIn(n: number): boolean
  pick<T>(values: readonly T[]): T
  bytes(length: number): Uint8Array
}

export function randomFrom(seed: number): Random {
  const generator = prng.create(seed)
  const int = (min: number, max: number) => prng.int53(generator, min, max)
  return {
    int,
    oneIn: (n) => int(1, n) === 1,
    pick: (values) => values[int(0, values.length - 1)]!,
    bytes: (length) => Uint8Array.from({ length }, () => int(0, 255)),
  }
}
