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
  const { id } = relay
  const { change, line, isBusy, problem } = useLabChange(relay)
  const runs = relay.process === 'running'
  const waits = isBusy || relay.process === 'starting'
  return (
    <div className="path-controls">
      <fieldset className="segments path-line-modes">
        <legend className="visually-hidden">Line to {id}</legend>
        {LINES.map((mode) => (
          <label key={mode} title={WHAT[mode]}>
            <input
              type="radio"
              name={`line-${id}`}
              checked={line === mode}
              data-testid={`${id}-line-${mode}`}
              onChange={() => void change({ relay: id, line: mode })}
            />
            <span>{mode}</span>
          </label>
        ))}
      </fieldset>
      {/* Not disabled, which would take the keyboard's focus away. */}
      <button
        type="button"
        className={runs ? 'small-button small-button-refuse' : 'small-button'}
        data-testid={`${id}-${runs ? 'kill' : 'start'}`}
        aria-disabled={waits}
        title={runs ? 'Ends the process with kill -9' : 'Starts it on its old data'}
        onClick={() => {
          if (!waits) void change({ relay: id, running: !runs })
        }}
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

/** Changes a relay; until the lab has answered, its line is shown as it is to be. */
function useLabChange({ line }: LabRelay) {
  const { lab } = useAgent()
  const [asked, setAsked] = useState<LabChange>()
  const [problem, setProblem] = useState<string>()
  return {
    line: asked && 'line' in asked ? asked.line : line,
    isBusy: asked !== undefined,
    problem,
    async change(what: LabChange): Promise<void> {
      setAsked(what)
      setProblem(undefined)
      try {
        await lab.change(what)
      } catch (error) {
        setProblem(error instanceof Error ? error.message : String(error))
        // What it is now was not answered.
        void lab.refresh()
      }
      setAsked((latest) => (latest === what ? undefined : latest))
    },
  }
}

const WHAT: Readonly<Record<LineMode, string>> = {
  normal: 'Hands on everything at once',
  slow: `Adds ${SLOW_ROUND_TRIP_MS} ms to each round trip`,
  silent: 'Keeps everything to itself, and breaks nothing off',
}
