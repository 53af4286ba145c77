import { ALARM, FRONT_DOOR, GAS, type Guarded } from '../../model/guarded.js'
import { readTarget } from '../../model/target.js'
import type { Round } from './round.js'

const STATES: Readonly<Record<string, string>> = {
  locked: 'Locked',
  unlocked: 'Unlocked',
  armed_home: 'Armed, home',
  armed_away: 'Armed, away',
  disarmed: 'Disarmed',
  triggered: 'Triggered',
  open: 'Open',
  closed: 'Closed',
}

export function stateInWords(state: string): string {
  return STATES[state] ?? state
}

const NAMES = new Map<Guarded, string>([
  [FRONT_DOOR, 'Front door'],
  [ALARM, 'Alarm'],
  [GAS, 'Gas'],
])

export function nameOf(guarded: Guarded): string {
  return NAMES.get(guarded) ?? guarded.entity
}

const NOUNS: Readonly<Record<string, string>> = {
  Unlock: 'An unlock',
  Disarm: 'Disarming',
  Open: 'Opening the gas',
  'Lift latch': 'Lifting a latch',
}

/** What to tell whoever asked, in one sentence. */
export function roundInWords(round: Round): string {
  const { outcome, guarded } = round
  if (!outcome) return 'Asking the relays'
  switch (outcome.kind) {
    case 'done':
      return `Decided in ${milliseconds(round.endedMs)}, v${outcome.version}`
    case 'conflict': {
      const { value, version } = outcome.current
      const target = readTarget(guarded, value)
      const state = stateInWords(target?.state ?? guarded.safe).toLowerCase()
      return `${target?.by ?? 'Somebody'} was first: ${state} v${version}`
    }
    case 'unavailable':
      if (round.latched) return 'No majority of relays: shut by the latch'
      if (outcome.reason === 'busy') return 'The relays are busy; nothing was changed'
      return `${NOUNS[round.verb] ?? 'This'} needs a majority of relays; nothing was changed`
    case 'refused':
      return `Refused, nothing was changed: ${outcome.message}`
    case 'unknown':
      if (round.settled === 'applied') return 'Found out: it was done'
      if (round.settled === 'not-applied') return 'Found out: it was not done, and never will be'
      return 'It is not known whether this was done'
  }
}

export type Tone = 'agree' | 'wait' | 'refuse'

export function toneOf({ outcome, settled, latched }: Round): Tone {
  if (outcome?.kind === 'done' || settled === 'applied') return 'agree'
  if (outcome?.kind === 'refused' || (outcome?.kind === 'unavailable' && !latched)) return 'refuse'
  return 'wait'
}

export function milliseconds(ms: number | undefined): string {
  if (ms === undefined) return ''
  return ms < 1_000 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** A relay's host and port, without what all of them share. */
export function shortAddress(url: string): string {
  return url.replace(/^wss?:\/\//, '').replace(/[/?#].*$/, '')
}
