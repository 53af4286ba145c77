import type { PathStatus, PathSwitch } from '@skein/agent'

/** What a path is there for, in few words. */
export function roleInWords({ role, state }: Pick<PathStatus, 'role' | 'state'>): string {
  if (role === 'active') return 'in use'
  if (role === 'standby') return state === 'good' ? 'kept warm' : 'kept open'
  return ROLELESS[state]
}

const ROLELESS = {
  idle: 'not needed',
  connecting: 'connecting',
  waiting: 'cut',
  good: 'open',
  suspect: 'open',
  silent: 'open',
  refused: 'refused',
} as const satisfies Record<PathStatus['state'], string>

/** What a path does just now, as a sentence without an end. */
export function stateInWords(path: PathStatus, nowMs: number): string {
  switch (path.state) {
    case 'good':
      return 'Answers in time'
    case 'suspect':
      return path.role === 'active'
        ? 'Late with an answer; edits go over another path, too'
        : 'Late with an answer'
    case 'silent':
      return 'Open, but nothing comes back'
    case 'connecting':
      return 'An attempt is under way'
    case 'waiting':
      return path.retryAt === undefined
        ? 'Waits for its next attempt'
        : `Next attempt in ${(Math.max(0, path.retryAt - nowMs) / 1_000).toFixed(1)} s`
    case 'refused':
      return capitalized(path.error?.message ?? 'refused this agent')
    case 'idle':
      return 'Not needed, as others are open'
  }
}

function capitalized(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** How many paths there are to lean on, in few words. */
export function supportInWords(paths: readonly PathStatus[]): {
  words: string
  tone: 'agree' | 'wait' | 'refuse'
} {
  if (!paths.some(({ role }) => role === 'active')) return { words: 'no path', tone: 'refuse' }
  return paths.some(({ role, state }) => role === 'standby' && state === 'good')
    ? { words: 'one in use, one warm', tone: 'agree' }
    : { words: 'one in use, none warm', tone: 'wait' }
}

/** The last switch as it is told to people, without when. */
export function switchInWords({ from, to, reason }: PathSwitch, name: (url: string) => string): string {
  if (to === undefined) {
    return from === undefined
      ? 'No path is open'
      : `${name(from)} ${WHY_LEFT[reason]}, and no other path is open`
  }
  if (from === undefined) return `Connected over ${name(to)}`
  if (reason === 'better') return `${name(to)} was better than ${name(from)}, and took over`
  return `${name(from)} ${WHY_LEFT[reason]}, ${name(to)} took over`
}

const WHY_LEFT = {
  first: 'was left',
  closed: 'closed',
  silent: 'fell silent',
  backlog: 'was overloaded',
  better: 'was worse than another',
} as const satisfies Record<PathSwitch['reason'], string>

/** How long ago something was, as people say it. */
export function agoInWords(ms: number): string {
  if (ms < 2_000) return 'just now'
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s ago`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`
  return `${Math.floor(ms / 3_600_000)} h ago`
}

export function bytesInWords(bytes: number): string {
  if (bytes < 1_000) return `${Math.round(bytes)} B`
  if (bytes < 1_000_000) return `${shortNumber(bytes / 1_000)} kB`
  return `${shortNumber(bytes / 1_000_000)} MB`
}

/** Two digits that count. */
function shortNumber(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value))
}

/** A share such as the reliability; never 100 % while anything was missed. */
export function shareInWords(share: number): string {
  return `${share >= 1 ? 100 : Math.min(99, Math.round(share * 100))} %`
}
