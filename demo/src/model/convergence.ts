import type { Json, PresentAgent } from '@skein/agent'

/** What agents of the demo tell each other about themselves, beside their digest. */
export interface AgentSummary {
  readonly clientId: number
  readonly isSelf: boolean
  readonly name: string
  readonly kind: string
  /** The bridge of the devices; while one is present, the devices can be reached. */
  readonly bridge: boolean
  readonly path: string
  readonly roundTripMs: number | undefined
  readonly queued: number
  readonly digest: string | undefined
  /** Whether its replica holds exactly what this agent's holds. */
  readonly converged: boolean
}

export interface Convergence {
  /** Agents present whose replica equals this one, this one included. */
  readonly converged: number
  /** Agents present. */
  readonly total: number
}

/**
 * Everybody present, this agent first, then by name. `ownDigest` is compared instead of what this agent
 * last published, so an edit made a moment ago counts at once.
 */
export function summarize(agents: readonly PresentAgent[], ownDigest: string): AgentSummary[] {
  return agents
    .map(({ clientId, isSelf, state }): AgentSummary => {
      const digest = isSelf ? ownDigest : text(state.digest)
      return {
        clientId,
        isSelf,
        digest,
        name: text(state.name) ?? `Agent ${clientId}`,
        kind: text(state.kind) ?? 'unknown',
        bridge: state.bridge === true,
        path: text(state.path) ?? 'unknown',
        roundTripMs: typeof state.roundTripMs === 'number' ? state.roundTripMs : undefined,
        queued: typeof state.queued === 'number' ? state.queued : 0,
        converged: digest === ownDigest,
      }
    })
    .sort(
      (a, b) =>
        Number(b.isSelf) - Number(a.isSelf) || a.name.localeCompare(b.name) || a.clientId - b.clientId,
    )
}

export function convergenceOf(agents: readonly AgentSummary[]): Convergence {
  return { converged: agents.filter((it) => it.converged).length, total: agents.length }
}

const text = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined)
