import type { AgentSummary } from '../../model/convergence.js'
import { useAgents } from '../hooks/space.js'
import { addressFor, freeName } from '../parameters.js'
import { agentPathInWords, countInWords } from '../words.js'
import { Icon } from './Icon.js'

/** Who is here, how each is connected, and whether it holds the same home. */
export function AgentsPanel() {
  const agents = useAgents()
  return (
    <aside className="agents" aria-labelledby="agents-title">
      <h2 id="agents-title">Agents</h2>
      <ul className="agent-list" data-testid="agents">
        {agents.map((agent) => (
          <AgentRow key={agent.clientId} agent={agent} />
        ))}
      </ul>
      <OpenAgent taken={agents.map((agent) => agent.name)} />
      <p className="footnote">
        An agent is a browser tab, a device or a program with its own replica of this home. Each goes on by
        itself when the others are out of reach.
      </p>
    </aside>
  )
}

function AgentRow({ agent }: { agent: AgentSummary }) {
  return (
    <li
      className="agent"
      data-testid={`agent-${agent.name}`}
      data-self={agent.isSelf}
      data-converged={agent.converged}
      data-path-kind={agent.path}
    >
      <span className="agent-name">
        {agent.name}
        {agent.isSelf && <span className="agent-self">this agent</span>}
      </span>
      <span className={agent.converged ? 'agent-state' : 'agent-state agent-apart'}>
        {agent.converged ? <Icon name="check" size={15} /> : <Icon name="pending" size={15} />}
        {agent.converged ? 'same' : 'merging'}
      </span>
      <span className="agent-details">
        {agent.bridge ? 'simulated devices' : agent.kind}, {agentPathInWords(agent.path, agent.roundTripMs)}
        {agent.queued > 0 && `, ${agent.queued} queued`}
      </span>
    </li>
  )
}

/** Opens one more tab of this page as an agent of its own. */
export function OpenAgent({ taken }: { taken: readonly string[] }) {
  const name = freeName(taken)
  return (
    <a
      className="button"
      href={addressFor(name)}
      target="_blank"
      rel="noreferrer"
      data-testid="open-agent"
      title={`${countInWords(taken.length, 'agent')} present; this opens a tab as one more`}
    >
      <Icon name="open" size={18} />
      Open {name} in a tab
    </a>
  )
}
