import { useState } from 'react'
import type { ActResult } from '../acts/act.js'
import { killRelay } from '../acts/kill-relay.js'
import { offlineUnlock } from '../acts/offline-unlock.js'
import { race } from '../acts/race.js'
import { type Agent, useAgent } from '../hooks/agent.js'
import { useLab } from '../lab/hooks.js'
import { DragPlot } from './DragPlot.js'

interface Act {
  readonly id: string
  readonly title: string
  readonly words: string
  /** It is played on relays that the page can kill. */
  readonly needsLab?: boolean
  /** `show` is told how far it is. */
  run(agent: Agent, show: (soFar: ActResult) => void): Promise<ActResult>
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
  {
    id: 'act-4',
    title: 'Kill a relay in the middle of a drag',
    words:
      'The ceiling lamp of the living room is dragged from 20 to 80 %. On the way the relay that this agent goes over is ended by kill\u00a0-9; another agent watches what arrives. At the end the relay is started again.',
    needsLab: true,
    run: killRelay,
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
  const missing = useMissing(act)
  const play = async () => {
    setPlaying(true)
    setResult(undefined)
    setResult(await act.run(agent, setResult))
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
          disabled={playing || missing !== undefined}
          onClick={() => void play()}
        >
          {playing ? 'Playing' : result ? 'Play again' : 'Play'}
        </button>
      </div>
      <p className="card-words">{missing ?? act.words}</p>
      {result && <Result result={result} id={act.id} />}
      <p
        role="status"
        className={`act-verdict tone-${result?.holds ? 'agree' : 'refuse'}`}
        data-testid={`${act.id}-verdict`}
        data-holds={playing ? undefined : result?.holds}
      >
        {!playing && result?.verdict}
      </p>
    </section>
  )
}

/** Why it cannot be played here, if it cannot. */
function useMissing({ needsLab = false }: Act): string | undefined {
  const { parameters } = useAgent()
  const lab = useLab()
  if (parameters.relays.length === 0) return 'This page was opened without a relay.'
  if (needsLab && lab === undefined) return 'Only a page that was started with its relays can kill them.'
  return undefined
}

function Result({ result, id }: { result: ActResult; id: string }) {
  return (
    <>
      {result.drag && <DragPlot drag={result.drag} />}
      <ol className="act-lines" data-testid={`${id}-lines`}>
        {result.lines.map((line) => (
          <li key={line.who} className={`act-line tone-${line.tone}`} data-tone={line.tone}>
            <b>{line.who}</b>
            <span>{line.words}</span>
          </li>
        ))}
      </ol>
    </>
  )
}
