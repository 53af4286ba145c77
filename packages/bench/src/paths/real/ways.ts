import { AlwaysRedundant, LowestRoundTrip, RoundRobin } from '@skein/simulator'
import { type PathChoice, PathScheduler } from '@skein/sync'
import { BaselineChoice } from './baseline-choice.js'

/**
 * What is compared. All but the last are one driver with another choice among its paths; `agent` is `joinSpace` of
 * the agent package as it is.
 */
export const WAYS = [
  'one relay',
  'round robin',
  'lowest round trip',
  'always redundant',
  'skein',
  'agent',
] as const

export type Way = (typeof WAYS)[number]

/** How the driver chooses; with one relay there is no choice. */
export const CHOICES: Readonly<Record<Exclude<Way, 'agent'>, () => PathChoice>> = {
  'one relay': () => new PathScheduler(),
  'round robin': () => new BaselineChoice(new RoundRobin()),
  'lowest round trip': () => new BaselineChoice(new LowestRoundTrip(), true),
  'always redundant': () => new BaselineChoice(new AlwaysRedundant()),
  skein: () => new PathScheduler(),
}

/** Those that differ for who only reads: it reads over one path at a time. */
export const WAYS_TO_READ: readonly Way[] = ['one relay', 'agent']
