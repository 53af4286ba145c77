import fc from 'fast-check'
import { type Random, randomFrom } from './random.js'

/** The seed of this run: `SKEIN_SEED` from the environment, else a new one. All that is random follows from it. */
const SEED = readSeed()

/**
 * Calls `run` with a generator per round, each from a seed of its own. A failure names the seed of its
 * round and the command that repeats that round first.
 */
export function eachSeed(rule: string, rounds: number, run: (random: Random) => void): void {
  for (let round = 0; round < rounds; round++) {
    const seed = (SEED + round) >>> 0
    withSeed(rule, seed, () => run(randomFrom(seed)))
  }
}

/** `fc.assert` with the seed of this run. */
export function check<T>(rule: string, numRuns: number, property: fc.IProperty<T>): void {
  withSeed(rule, SEED, () => fc.assert(property, { seed: SEED, numRuns }))
}

function withSeed(rule: string, seed: number, run: () => void): void {
  try {
    run()
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause)
    const command = `SKEIN_SEED=${seed} npx vitest run packages/protocol -t ${rule}`
    throw new Error(`${what}\nseed ${seed}; to repeat: ${command}`, { cause })
  }
}

function readSeed(): number {
  const text = process.env.SKEIN_SEED
  if (text === undefined || text === '') return Math.floor(Math.random() * 2 ** 32)
  const seed = Number(text)
  if (!Number.isInteger(seed)) throw new Error(`SKEIN_SEED is not an integer: ${text}`)
  return seed >>> 0
}
