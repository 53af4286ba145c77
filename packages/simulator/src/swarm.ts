import type { Random } from './random.js'

/**
 * What a seed is about: which faults there are and how often. A world with every fault at once hardly gets
 * anywhere, and finds less than many worlds with a few each (Groce et al., Swarm testing, 2012).
 */
export interface Swarm {
  readonly members: number
  readonly clients: number
  readonly keys: number
  readonly contenders: number
  readonly durationMs: number
  readonly thinkMs: number
  readonly deadlineMs: number
  readonly delayMs: number
  /** Connections: what is sent arrives in order, or not at all. */
  readonly keepsOrder: boolean
  readonly loss: number
  readonly duplication: number
  /** How many messages are much later than others. */
  readonly stragglers: number
  readonly clientLoss: number
  readonly flushMs: number
  readonly drift: number
  /** How far apart faults of a kind are; Infinity where there are none. */
  readonly everyMs: Readonly<Record<FaultKind, number>>
  readonly hasWatches: boolean
  readonly limits: {
    readonly clientsMax: number
    readonly resultsPerClientMax: number
    readonly keysPerPageMax: number
  }
}

export const FAULT_KINDS = [
  'crash',
  'pause',
  'partition',
  'one-way cut',
  'clock jump',
  'full disk',
  'blank disk',
  'membership change',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

export function chooseSwarm(random: Random): Swarm {
  const rare = (probability: number, value: () => number, otherwise = 0) =>
    random.chance(probability) ? value() : otherwise
  const keepsOrder = random.chance(0.25)
  const durationMs = random.between(500, 3_000)
  const every = (probability: number) =>
    rare(probability, () => durationMs * random.between(0.1, 0.7), Number.POSITIVE_INFINITY)
  return {
    members: random.pick([3, 3, 3, 3, 3, 5, 5, 2, 4, 1]),
    clients: 1 + random.below(4),
    keys: random.pick([1, 1, 2, 3]),
    contenders: rare(0.15, () => 2),
    durationMs,
    thinkMs: random.pick([20, 100, 200]),
    deadlineMs: random.pick([30, 300, 1_000, 2_000]),
    delayMs: random.pick([1, 5, 20]),
    keepsOrder,
    loss: keepsOrder ? 0 : rare(0.5, () => random.between(0, 0.3)),
    duplication: keepsOrder ? 0 : rare(0.5, () => random.between(0, 0.5)),
    stragglers: rare(0.4, () => random.between(0, 0.2)),
    clientLoss: rare(0.5, () => random.between(0, 0.3)),
    flushMs: random.pick([0.1, 2, 10, 40]),
    drift: rare(0.5, () => random.between(0, 0.1)),
    everyMs: {
      crash: every(0.5),
      pause: every(0.25),
      partition: every(0.3),
      'one-way cut': every(0.3),
      'clock jump': every(0.15),
      'full disk': every(0.15),
      'blank disk': every(0.15),
      'membership change': every(0.35),
    },
    hasWatches: random.chance(0.4),
    limits: {
      clientsMax: random.pick([256, 256, 2, 1]),
      resultsPerClientMax: random.pick([64, 64, 2, 1]),
      keysPerPageMax: random.pick([512, 1, 2]),
    },
  }
}
