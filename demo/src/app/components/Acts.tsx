import { useState } from 'react'
import type { ActResult } from '../acts/act.js'
import { offlineUnlock } from '../acts/offline-unlock.js'
import { race } from '../acts/race.js'
import { type Agent, useAgent } from '../hooks/agent.js'

interface Act {
  readonly id: string
  readonly title: string
  readonly words: string
  run(agent: Agent): Promise<ActResult>
}

const ACTS: readonly Act[] = [
  {
    id: 'act-2',
    title: 'Unlock while offline',
    words:
      'This agent goes offline, sets the hall lamp and asks to unlock the front door. The lamp merges on return; the door does not guess.',
    run: offlineUnlock,
  },
  {
    id: 'act-3',
    title: 'Three unlock at once',
    words:
      'Three agents, each on another relay, unlock the front door on the ground of the same version. One may win; the others learn by whom.',
    run: race,
  },
]

/** Scenes that can be played with one press, for real, with their outcome below. */
export function Acts() {
  return (
    <div className="acts">
      {ACTS.map((act) => (
        <ActCard key={act.id} act={act} />
      ))}
    </div>
  )
}

function ActCard({ act }: { act: Act }) {
  const agent = useAgent()
  const [playing, setPlaying] = useState(false)
  const [result, setResult] = useState<ActResult>()
  const noRelay = agent.parameters.relays.length === 0
  const play = async () => {
    setPlaying(true)
    setResult(undefined)
    setResult(await act.run(agent))
    setPlaying(false)
  }
  return (
    <section className="card act" aria-labelledby={act.id} data-testid={act.id}>
      <div className="card-head">
        <h2 id={act.id}>{act.title}</h2>
        <button
          type="button"
          className="play"
          data-testid={`${act.id}-play`}
          disabled={playing || noRelay}
          onClick={() => void play()}
        >
          {playing ? 'Playing' : result ? 'Play again' : 'Play'}
        </button>
      </div>
      <p className="card-words">{noRelay ? 'This page was opened without a relay.' : act.words}</p>
      <div role="status">{result && <Result result={result} id={act.id} />}</div>
    </section>
  )
}

function Result({ result, id }: { result: ActResult; id: string }) {
  return (
    <>
      <ol className="act-lines" data-testid={`${id}-lines`}>
        {result.lines.map((line) => (
          <li key={line.who} className={`act-line tone-${line.tone}`} data-tone={line.tone}>
            <b>{line.who}</b>
            <span>{line.words}</span>
          </li>
        ))}
      </ol>
      <p
        className={`act-verdict tone-${result.holds ? 'agree' : 'refuse'}`}
        data-testid={`${id}-verdict`}
        data-holds={result.holds}
      >
        {result.verdict}
      </p>
    </>
  )
}
