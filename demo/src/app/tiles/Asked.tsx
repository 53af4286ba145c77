import type { Guarded } from '../../model/guarded.js'
import { useAgent } from '../hooks/agent.js'
import { useLasting } from '../hooks/lasting.js'
import { useRounds } from '../security/hooks.js'
import { isUnsettled, type Round } from '../security/round.js'
import { roundInWords, toneOf } from '../security/words.js'

/** What went well is no news for long. */
const DONE_MS = 8_000

/** How what was asked here for this entity has ended; everything that is not settled stays on show. */
export function Asked({ guarded }: { guarded: Guarded }) {
  const rounds = useRounds(guarded)
  const shown = rounds.filter((round, index) => index === 0 || isUnsettled(round))
  return (
    <div role="status">
      {shown.map((round) => (
        <AskedLine key={round.id} round={round} />
      ))}
    </div>
  )
}

function AskedLine({ round }: { round: Round }) {
  const { desk } = useAgent()
  const entity = round.guarded.entity
  const old = useLasting(round.outcome?.kind === 'done', DONE_MS)
  if (old) return null
  return (
    <div
      className={`asked asked-${toneOf(round)}`}
      data-testid={`${entity}-outcome`}
      data-outcome={round.outcome?.kind ?? 'asking'}
      data-settled={round.settled}
    >
      <p>{roundInWords(round)}</p>
      {isUnsettled(round) && (
        <button
          type="button"
          className="find-out"
          data-testid={`${entity}-find-out`}
          disabled={round.findingOut}
          onClick={() => void desk.findOut(round.id)}
        >
          {round.findingOut ? 'Asking' : 'Find out'}
        </button>
      )}
    </div>
  )
}
