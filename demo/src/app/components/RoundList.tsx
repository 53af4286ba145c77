import { useAgent } from '../hooks/agent.js'
import { useSource } from '../hooks/source.js'
import { milliseconds, nameOf, roundInWords, toneOf } from '../security/words.js'

/** What this agent asked for lately, the latest first. */
export function RoundList() {
  const { desk } = useAgent()
  const rounds = useSource(desk.rounds)
  return (
    <section className="card" aria-labelledby="rounds-title">
      <div className="card-head">
        <h2 id="rounds-title">Asked here</h2>
      </div>
      {rounds.length === 0 && <p className="card-words">Nothing yet since this page was opened.</p>}
      <ol className="round-list">
        {rounds.map((round) => (
          <li key={round.id} className={`round-entry tone-${toneOf(round)}`}>
            <time dateTime={new Date(round.at).toISOString()}>{TIME.format(round.at)}</time>
            <b>
              {round.verb}, {nameOf(round.guarded).toLowerCase()}
            </b>
            <span className="round-ms">{milliseconds(round.endedMs)}</span>
            <span className="round-words">{roundInWords(round)}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}

const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
