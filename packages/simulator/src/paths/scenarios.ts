import type { LineOptions } from './line.js'

/** Something that happens to a path. */
export type PathFault =
  /** The connection ends, and both sides are told. */
  | { readonly kind: 'close' }
  /** Nothing arrives any more, one way or both, and nobody is told. */
  | { readonly kind: 'hole'; readonly way: 'up' | 'down' | 'both'; readonly durationMs: number }

export interface Scenario {
  readonly name: string
  readonly paths: readonly LineOptions[]
  /** Faults of the path that is used first: the first comes here, and then again after each pause. */
  readonly fault?: PathFault
  readonly faultAtMs: number
  readonly faultEveryMs: number
  /** Mean pause between two messages, and their mean size. */
  readonly messageEveryMs: number
  readonly messageBytes: number
}

const LINE: LineOptions = { delayMs: 25, jitter: 0.05, rate: 1_000, burstEveryMs: 0, burstMs: 0 }
const TYPING = { faultAtMs: Infinity, faultEveryMs: Infinity, messageEveryMs: 50, messageBytes: 120 }

/** Round trips of 50 ms unless it says otherwise. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'two steady paths', ...TYPING, paths: [LINE, LINE] },
  { name: '30 % jitter', ...TYPING, paths: [jitter(0.3), jitter(0.3)] },
  { name: 'the first is three times as slow', ...TYPING, paths: [{ ...LINE, delayMs: 75 }, LINE] },
  { name: 'bursts of loss', ...TYPING, paths: [bursts(), bursts()] },
  {
    name: 'a socket closes',
    ...TYPING,
    paths: [LINE, LINE],
    fault: { kind: 'close' },
    faultAtMs: 10_000,
    faultEveryMs: 10_000,
  },
  hole('silent both ways', 'both'),
  hole('silent on the way there', 'up'),
  hole('silent on the way back', 'down'),
  {
    name: 'flapping',
    ...TYPING,
    paths: [LINE, LINE],
    fault: { kind: 'close' },
    faultAtMs: 3_000,
    faultEveryMs: 1_500,
  },
  {
    name: 'more than one path carries',
    ...TYPING,
    paths: [
      { ...LINE, rate: 12 },
      { ...LINE, rate: 40 },
    ],
    messageEveryMs: 50,
    messageBytes: 1_000,
  },
]

function jitter(share: number): LineOptions {
  return { ...LINE, jitter: share }
}

function bursts(): LineOptions {
  return { ...LINE, burstEveryMs: 3_000, burstMs: 150 }
}

function hole(name: string, way: 'up' | 'down' | 'both'): Scenario {
  const fault: PathFault = { kind: 'hole', way, durationMs: 8_000 }
  return { name, ...TYPING, paths: [LINE, LINE], fault, faultAtMs: 10_000, faultEveryMs: 20_000 }
}
