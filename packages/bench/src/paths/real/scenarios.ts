import { type LineOptions, SCENARIOS } from '@skein/simulator'
import type { Way as LineWay } from './line-proxy.js'

export type RealFault =
  | { readonly kind: 'close'; readonly how: 'reset' | 'end' }
  | { readonly kind: 'hole'; readonly way: LineWay; readonly durationMs: number }

/** A scenario of the simulation, shortened to what can be waited for, for three real lines. */
export interface RealScenario {
  readonly name: string
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
  /** `first`: always the same line. `used`: the one over which most was sent in the last second. */
  readonly line: 'first' | 'used'
}

/** Shorter than the simulated ones, so that there are enough of them. */
const HOLE = { durationMs: 4_000, atMs: 3_000, everyMs: 9_000 }
const CLOSED = { atMs: 2_000, everyMs: 4_000 }

export const REAL_SCENARIOS: readonly RealScenario[] = [
  ...SCENARIOS.map(({ name, paths, fault, faultEveryMs, messageEveryMs, messageBytes }): RealScenario => {
    const [first, second] = [paths[0]!, paths[1]!]
    const isFlapping = faultEveryMs < CLOSED.everyMs
    const faults: RealFaults | undefined =
      fault === undefined
        ? undefined
        : fault.kind === 'hole'
          ? {
              fault: { ...fault, durationMs: HOLE.durationMs },
              ...{ atMs: HOLE.atMs, everyMs: HOLE.everyMs, line: 'used' },
            }
          : {
              fault: { kind: 'close', how: isFlapping ? 'end' : 'reset' },
              ...(isFlapping ? { atMs: faultEveryMs, everyMs: faultEveryMs } : CLOSED),
              line: isFlapping ? 'first' : 'used',
            }
    return { name, lines: [first, second, second], faults, messageEveryMs, messageBytes }
  }),
  { ...plain('no delay at all'), messageEveryMs: 50, messageBytes: 120 },
]

/** Lines as the machine has them. */
function plain(name: string): Pick<RealScenario, 'name' | 'lines' | 'faults'> {
  const line: LineOptions = {
    ...{ delayMs: 0, jitter: 0, burstEveryMs: 0, burstMs: 0 },
    rate: Number.POSITIVE_INFINITY,
  }
  return { name, lines: [line, line, line], faults: undefined }
}
