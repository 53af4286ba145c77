import type { AgentSummary } from '../../model/convergence.js'
import { useAgents } from '../hooks/space.js'
import { countInWords } from '../words.js'

/** Height of an agent's row, in pixels; the threads start at its middle. */
const ROW = 36

/** All agents present as threads, and the digests they run into. */
export function Skein() {
  const agents = useAgents()
  const bundles = bundlesOf(agents)
  const height = agents.length * ROW
  return (
    <div className="skein" style={{ height }}>
      <ul className="skein-names">
        {agents.map((agent) => (
          <li key={agent.clientId} style={{ height: ROW }}>
            {agent.name}
          </li>
        ))}
      </ul>
      <svg
        className="skein-threads"
        viewBox={`0 0 100 ${height}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {bundles.flatMap((bundle) =>
          bundle.rows.map((row) => (
            <path
              key={agents[row]!.clientId}
              className={bundle.own ? 'thread' : 'thread thread-apart'}
              d={`M0 ${middle(row)}C45 ${middle(row)} 40 ${bundle.at} 78 ${bundle.at}H100`}
            />
          )),
        )}
      </svg>
      <ul className="skein-digests">
        {bundles.map((bundle) => (
          <li key={bundle.digest} style={{ top: bundle.at }} data-own={bundle.own}>
            <code>{bundle.digest.slice(0, 8)}</code>
            <span>{countInWords(bundle.rows.length, 'replica')}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}

interface Bundle {
  readonly digest: string
  readonly own: boolean
  readonly rows: readonly number[]
  /** Where the strand runs, in pixels from the top: the mean of its threads. */
  readonly at: number
}

function bundlesOf(agents: readonly AgentSummary[]): Bundle[] {
  const rows = new Map<string, number[]>()
  for (const [row, { digest = 'none yet' }] of agents.entries())
    rows.set(digest, [...(rows.get(digest) ?? []), row])
  const bundles = [...rows].map(([digest, members]) => ({
    digest,
    own: agents[members[0]!]!.converged,
    rows: members,
    at: members.reduce((sum, row) => sum + middle(row), 0) / members.length,
  }))
  return keepApart(bundles.sort((a, b) => a.at - b.at))
}

/** Strands that would run over each other are moved apart by a row. */
function keepApart(bundles: Bundle[]): Bundle[] {
  let lowest = 0
  return bundles.map((bundle) => {
    const at = Math.max(bundle.at, lowest + ROW / 2)
    lowest = at + ROW / 2
    return { ...bundle, at }
  })
}

const middle = (row: number): number => row * ROW + ROW / 2
