import { type LineOptions, type PathFault, SCENARIOS } from '@skein/simulator'
import type { Way as LineWay } from './line-proxy.js'

export type RealFault =
  | { readonly kind: 'close'; readonly how: 'reset' | 'end' }
  | { readonly kind: 'hole'; readonly way: LineWay; readonly durationMs: number }

/** A scenario of the simulation, shortened to what can be waited for, for three real lines. */
export interface RealScenario {
  readonly name: string
  /** Whose lines they are; the other side is connected directly to one relay. */
  readonly at: 'writer' | 'reader'
  readonly lines: readonly [LineOptions, LineOptions, LineOptions]
  readonly faults: RealFaults | undefined
  /** Mean pause between two messages, and their mean size. */
  readonly messageEveryMs: number
  readonly messageBytes: number
}

export interface RealFaults {
  readonly fault: RealFault
  /** After the first message, and again after each pause. */
  readonly atMs: number
  readonly everyMs: number
  /** `first`: always the same line. `used`: the one that carried most in the last second. */
  readonly line: 'first' | 'used'
}

/** Shorter than the simulated ones, so that there are enough of them. */
const HOLE = { durationMs: 3_000, atMs: 2_000, everyMs: 8_000 }
const CLOSED = { atMs: 2_000, everyMs: 4_000 }

/** As the machine has it. */
export const PLAIN_LINE: LineOptions = {
  ...{ delayMs: 0, jitter: 0, burstEveryMs: 0, burstMs: 0 },
  rate: Number.POSITIVE_INFINITY,
}

const OF_WRITERS: readonly RealScenario[] = SCENARIOS.map((simulated) => {
  const { name, paths, fault, faultEveryMs, messageEveryMs, messageBytes } = simulated
  const [first, second] = [paths[0]!, paths[1]!]
  const faults = fault === undefined ? undefined : shortened(fault, faultEveryMs)
  return { name, at: 'writer', lines: [first, second, second], faults, messageEveryMs, messageBytes }
})

export const REAL_SCENARIOS: readonly RealScenario[] = [
  ...OF_WRITERS,
  ofReader('a socket closes'),
  ofReader('silent both ways'),
  {
    ...{ name: 'no delay at all', at: 'writer', faults: undefined },
    ...{ lines: [PLAIN_LINE, PLAIN_LINE, PLAIN_LINE], messageEveryMs: 50, messageBytes: 120 },
  },
]

function shortened(fault: PathFault, everyMs: number): RealFaults {
  if (fault.kind === 'hole') {
    const { durationMs, ...times } = HOLE
    return { fault: { ...fault, durationMs }, ...times, line: 'used' }
  }
  if (everyMs < CLOSED.everyMs) {
    return { fault: { kind: 'close', how: 'end' }, atMs: everyMs, everyMs, line: 'first' }
  }
  return { fault: { kind: 'close', how: 'reset' }, ...CLOSED, line: 'used' }
}

function ofReader(name: string): RealScenario {
  const scenario = OF_WRITERS.find((known) => known.name === name)!
  return { ...scenario, name: `${name}, at the reader`, at: 'reader' }
}
