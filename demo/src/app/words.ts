import type { Status } from '@skein/agent'
import type { PathNames } from '../model/path-names.js'

/** How this agent is connected, in few words, e.g. `r1 3 ms`. */
export function pathInWords(status: Status, names: PathNames): string {
  const { path, connection } = status
  if (path) return roundTripInWords(path.kind === 'tab' ? 'via tab' : names.of(path), path.roundTripMs)
  return connection === 'live' ? 'connected' : connection
}

/** The same of another agent, from what it tells of itself. */
export function agentPathInWords(path: string, roundTripMs: number | undefined): string {
  if (path === 'none') return 'no path'
  return roundTripInWords(
    path in PATH_WORDS ? PATH_WORDS[path as keyof typeof PATH_WORDS] : path,
    roundTripMs,
  )
}

export function countInWords(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

const PATH_WORDS = { relay: 'relay', server: 'server', tab: 'via tab', unknown: 'path' } as const

function roundTripInWords(words: string, roundTripMs: number | undefined): string {
  if (roundTripMs === undefined) return words
  return `${words} ${Math.max(1, Math.round(roundTripMs))} ms`
}
