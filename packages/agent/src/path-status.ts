import type { PathDescription } from '@skein/sync'
import type { RelayLink } from './relay-link.js'
import type { PathStatus } from './types.js'

/** A relay or server of the list as the application sees it. */
export function pathStatus(link: RelayLink, description: PathDescription | undefined): PathStatus {
  const { url, retryAt } = link
  if (link.state !== 'open' || description === undefined) {
    const state = link.state === 'open' ? 'connecting' : link.state
    return { ...UNUSED, url, state, retryAt, error: link.error }
  }
  const { session, report, isActive, hasDiverged } = description
  const roundTripMs = report?.roundTripMs ?? session.roundTripMs
  return {
    kind: session.isGreeted ? session.kind : 'unknown',
    url,
    role: isActive ? 'active' : 'standby',
    state:
      report === undefined || report.state === 'closed'
        ? session.ready
          ? 'good'
          : 'connecting'
        : report.state,
    roundTripMs: roundTripMs === undefined ? undefined : Math.round(roundTripMs * 10) / 10,
    reliability: Math.round((report?.reliability ?? 1) * 100) / 100,
    goodput: report?.goodput === undefined ? undefined : Math.round(report.goodput),
    backlog: Math.max(report?.backlog ?? 0, link.bufferedAmount),
    confirms: session.confirms.at(-1) ?? 'nothing',
    retryAt: undefined,
    error: link.error ?? (hasDiverged ? link.divergence : undefined),
  }
}

const UNUSED = {
  kind: 'unknown',
  role: 'none',
  roundTripMs: undefined,
  reliability: 1,
  goodput: undefined,
  backlog: 0,
  confirms: 'nothing',
} as const
