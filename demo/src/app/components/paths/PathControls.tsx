import { useState } from 'react'
import {
  type LabChange,
  type LabRelay,
  LINES,
  type LineMode,
  SLOW_ROUND_TRIP_MS,
} from '../../../model/lab.js'
import { useAgent } from '../../hooks/agent.js'

/** What the lab does to a relay and the line to it: for all agents of this demo, not only for this one. */
export function PathControls({ relay }: { relay: LabRelay }) {
  const { lab } = useAgent()
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const change = async (what: LabChange) => {
    setBusy(true)
    setProblem(undefined)
    try {
      await lab.change(what)
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
      // What it is now was not answered.
      void lab.refresh()
    }
    setBusy(false)
  }
  const { id } = relay
  const runs = relay.process === 'running'
  return (
    <div className="path-controls">
      <fieldset className="segments path-line-modes" disabled={busy}>
        <legend className="visually-hidden">Line to {id}</legend>
        {LINES.map((line) => (
          <label key={line} title={WHAT[line]}>
            <input
              type="radio"
              name={`line-${id}`}
              checked={relay.line === line}
              data-testid={`${id}-line-${line}`}
              onChange={() => void change({ relay: id, line })}
            />
            <span>{line}</span>
          </label>
        ))}
      </fieldset>
      <button
        type="button"
        className={runs ? 'small-button small-button-refuse' : 'small-button'}
        data-testid={`${id}-${runs ? 'kill' : 'start'}`}
        disabled={busy || relay.process === 'starting'}
        title={runs ? 'Ends the process with kill -9' : 'Starts it on its old data'}
        onClick={() => void change({ relay: id, running: !runs })}
      >
        {runs ? 'Kill' : relay.process === 'starting' ? 'Starting' : 'Start'}
        <span className="visually-hidden"> {id}</span>
      </button>
      <p role="status" className="path-problem">
        {problem}
      </p>
    </div>
  )
}

const WHAT: Readonly<Record<LineMode, string>> = {
  normal: 'Hands on everything at once',
  slow: `Adds ${SLOW_ROUND_TRIP_MS} ms to each round trip`,
  silent: 'Keeps everything to itself, and breaks nothing off',
}
