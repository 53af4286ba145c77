import { useId } from 'react'
import { convergenceOf } from '../../model/convergence.js'
import { useAgents, useStatus } from '../hooks/space.js'
import { Threads } from './Threads.js'

/** The badge that says how many of the agents present hold what this one holds, and how that is known. */
export function Convergence() {
  const agents = useAgents()
  const status = useStatus()
  const popover = useId()
  const { converged, total } = convergenceOf(agents)
  const digest = agents.find((agent) => agent.isSelf)?.digest
  const alone = total === 1 && status.path === undefined
  const state = alone ? 'alone' : converged === total ? 'converged' : 'merging'
  const others = agents.filter((agent) => !agent.isSelf)
  return (
    <>
      <button
        type="button"
        className={`badge convergence convergence-${state}`}
        popoverTarget={popover}
        title="Compares state vector and delete set of every agent's replica"
        data-testid="convergence"
        data-converged={converged}
        data-total={total}
        data-digest={digest}
      >
        <Threads converged={agents.map((agent) => agent.converged)} />
        {alone ? 'on its own' : `${state} ${converged}/${total}`}
      </button>
      <div id={popover} popover="auto" className="explanation">
        <h2>{HEADINGS[state]}</h2>
        <p>
          Every agent publishes a digest of its replica: its state vector and its delete set. Equal digests
          mean equal homes, to the last edit. A state vector alone would overlook deletions.
        </p>
        <ul>
          {others.map((agent) => (
            <li key={agent.clientId}>
              <span>{agent.name}</span>
              <code>{agent.digest ?? 'no digest yet'}</code>
            </li>
          ))}
          <li>
            <span>This agent</span>
            <code>{digest}</code>
          </li>
        </ul>
      </div>
    </>
  )
}

const HEADINGS = {
  alone: 'No other agent can be reached',
  converged: 'All agents hold the same home',
  merging: 'Edits are on their way',
} as const
