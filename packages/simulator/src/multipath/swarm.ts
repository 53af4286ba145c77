import type { LineOptions } from '../paths/line.js'
import type { Random } from '../random.js'

export const FAULT_KINDS = [
  'hole',
  'break',
  'flap',
  'slow opening',
  'kill',
  'link cut',
  'link hole',
  'slow disk',
  'sleep',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

/** What a seed is about: which faults there are and how often, and what the agents do. */
export interface MultipathSwarm {
  readonly agents: number
  /** Relays of the list of each agent. */
  readonly relaysPerAgent: number
  readonly durationMs: number
  /** One path has a fault at a time, and no edit is large: then edits are prompt, and nobody is seen to vanish. */
  readonly isCalm: boolean
  readonly everyMs: Readonly<Record<FaultKind, number>>
  /** Lines that large edits fill for seconds. */
  readonly isNarrow: boolean
  /** To a server and back: many lines carry less to it. */
  readonly lines: () => readonly [up: LineOptions, down: LineOptions]
  readonly linkLine: () => LineOptions
  readonly diskMs: number
  readonly answerMs: number
  /** So many of the agents write; the others read. */
  readonly writers: number
  readonly editEveryMs: number
  /** Probabilities, for each edit. */
  readonly burst: number
  readonly bulk: number
  readonly hurry: number
  readonly presenceEveryMs: number
  readonly timersLateMs: number
  /** Share of the updates between relays that come twice. */
  readonly duplication: number
  /** One of the relays acknowledges what it throws away, or does not hand on what comes. */
  readonly lies:
    | { readonly dropped: number; readonly withheld: number; readonly isForGood: boolean }
    | undefined
  /** A relay of another epoch, or a plain server, is in the lists. */
  readonly hasStranger: boolean
  readonly hasPlain: boolean
  /** Bytes waiting in a socket from which edits are held back. */
  readonly bufferedBytesMax: number
}

export function chooseMultipathSwarm(random: Random): MultipathSwarm {
  const isCalm = random.chance(0.3)
  const rare = (probability: number, value: () => number, otherwise = 0) =>
    !isCalm && random.chance(probability) ? value() : otherwise
  const durationMs = random.between(1_000, 10_000)
  const every = (probability: number) =>
    rare(probability, () => durationMs * random.between(0.1, 0.6), Number.POSITIVE_INFINITY)
  const isNarrow = !isCalm && random.chance(0.15)
  const hasBursts = !isCalm && random.chance(0.25)
  const jitter = random.chance(0.5) ? 0 : random.between(0, 0.8)
  const delayMsMax = random.pick([5, 40, 120])
  const linkDelayMsMax = isCalm ? 20 : random.pick([2, 20, 200])
  const agents = random.pick([2, 2, 3])
  return {
    agents,
    relaysPerAgent: random.pick([2, 3, 3]),
    durationMs,
    isCalm,
    isNarrow,
    everyMs: {
      hole: isCalm ? random.between(3_000, 6_000) : every(0.5),
      break: isCalm ? random.between(3_000, 6_000) : every(0.5),
      flap: every(0.2),
      'slow opening': every(0.2),
      kill: every(0.4),
      'link cut': every(0.3),
      'link hole': every(0.2),
      'slow disk': every(0.2),
      sleep: every(0.15),
    },
    lines: () => {
      const line = {
        delayMs: random.between(1, delayMsMax),
        jitter,
        rate: 10_000,
        burstEveryMs: random.between(2_000, 10_000),
        burstMs: hasBursts ? random.between(20, 400) : 0,
      }
      if (!isNarrow) return [line, line]
      // Slower ones back take more than the 5 s of a pong for one part of a large message.
      return [
        { ...line, rate: random.between(40, 200) },
        { ...line, rate: random.between(80, 200) },
      ]
    },
    linkLine: () => ({
      delayMs: random.between(1, linkDelayMsMax),
      jitter: 0,
      rate: 10_000,
      burstEveryMs: 0,
      burstMs: 0,
    }),
    diskMs: random.pick([1, 10, 100]),
    answerMs: random.pick([0, 0, 20, 500]),
    writers: random.chance(isCalm ? 0.5 : 0.15) ? 1 : agents,
    editEveryMs: durationMs / random.pick([5, 15, 50]),
    burst: random.chance(0.1) ? 0.02 : 0,
    bulk: rare(0.15, () => 0.1),
    hurry: random.chance(0.3) ? 0.2 : 0,
    presenceEveryMs: random.pick([1_000, 10_000]),
    timersLateMs: rare(0.15, () => random.pick([5, 100, 2_000])),
    duplication: rare(0.2, () => 0.3),
    lies:
      !isCalm && random.chance(0.1)
        ? {
            dropped: random.pick([0, 0.1, 0.5]),
            withheld: random.pick([0, 0.1, 0.5]),
            isForGood: random.chance(0.5),
          }
        : undefined,
    hasStranger: !isCalm && random.chance(0.1),
    hasPlain: !isCalm && random.chance(0.1),
    bufferedBytesMax: isNarrow && random.chance(0.5) ? 64 * 1024 : 4 * 1024 * 1024,
  }
}
