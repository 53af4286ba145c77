import { useEffect, useState } from 'react'
import { useAgent } from '../hooks/agent.js'
import { useSource } from '../hooks/source.js'
import { isAnswer } from '../security/outcome.js'
import type { RelayReach } from '../security/relays.js'
import type { Round } from '../security/round.js'
import { milliseconds, nameOf, roundInWords, shortAddress, stateInWords, toneOf } from '../security/words.js'
import { RoundLanes } from './RoundLanes.js'

/** The latest round that this agent asked for, as it happens: only what is known here, when it is known. */
export function LastRound({ relays }: { relays: readonly RelayReach[] }) {
  const { desk, parameters } = useAgent()
  const [round] = useSource(desk.rounds)
  const elapsedMs = useElapsed(round)
  return (
    <section className="card round-card" aria-labelledby="last-round" data-testid="last-round">
      <div className="card-head">
        <h2 id="last-round">
          {round ? `${round.verb}, ${nameOf(round.guarded).toLowerCase()}` : 'The last round'}
        </h2>
        {round && (
          <span className={`badge round-outcome tone-${toneOf(round)}`} data-outcome={round.outcome?.kind}>
            {round.settled ? SETTLED[round.settled] : OUTCOMES[round.outcome?.kind ?? 'asking']}
          </span>
        )}
      </div>
      {round ? (
        <>
          <p className="card-words">{explain(round, relays.length)}</p>
          <RoundLanes
            tone={toneOf(round)}
            agent={{ name: parameters.name, at: endOf(round, elapsedMs) }}
            relay={{
              name: round.relay ? `Relay ${shortAddress(round.relay)}` : 'No relay connected',
              at: relayWords(round),
            }}
            device={{
              name: `${nameOf(round.guarded)}, the device`,
              at: round.device && {
                time: milliseconds(round.device.afterMs),
                words: round.device.refused
                  ? 'refused'
                  : `reports ${stateInWords(round.device.state).toLowerCase()}`,
              },
            }}
            asked={round.relay !== undefined}
            answered={isAnswer(round.outcome)}
            relays={relays}
          />
        </>
      ) : (
        <p className="card-words">
          Hold a button above, and the way of the decision appears here: asked, decided, done by the device.
        </p>
      )}
    </section>
  )
}

const OUTCOMES = {
  asking: 'asking',
  done: 'decided',
  conflict: 'conflict',
  unavailable: 'not done',
  refused: 'refused',
  unknown: 'unknown',
} as const

const SETTLED = { applied: 'found: done', 'not-applied': 'found: not done' } as const

function explain(round: Round, relayCount: number): string {
  const ground = `Asked on the ground of v${round.fromVersion}.`
  if (!round.outcome) return `${ground} A majority of ${relayCount} relays has to agree.`
  const { outcome } = round
  if (outcome.kind === 'done') {
    return `${ground} Now it is v${outcome.version}; the device takes nothing under fence ${outcome.fence} any more.`
  }
  return `${ground} ${roundInWords(round)}.`
}

function endOf(round: Round, elapsedMs: number): { time: string; words: string } {
  if (!round.outcome) return { time: milliseconds(elapsedMs), words: 'waiting' }
  const words = {
    done: 'told',
    conflict: 'told',
    unavailable: 'given up',
    refused: 'told',
    unknown: 'no answer',
  }
  return { time: milliseconds(round.endedMs), words: words[round.outcome.kind] }
}

function relayWords({ outcome }: Round): string | undefined {
  if (!outcome) return undefined
  switch (outcome.kind) {
    case 'done':
      return `majority: v${outcome.version}, fence ${outcome.fence}`
    case 'conflict':
      return `v${outcome.current.version} was there`
    case 'unavailable':
      if (!isAnswer(outcome)) return 'no answer'
      return outcome.reason === 'busy' ? 'busy' : 'no majority'
    case 'refused':
      return 'refused'
    case 'unknown':
      return 'not known'
  }
}

/** How long a round has been under way, while it is. */
function useElapsed(round: Round | undefined): number {
  const [now, setNow] = useState(() => performance.now())
  const running = round !== undefined && round.outcome === undefined
  useEffect(() => {
    if (!running) return
    const timer = setInterval(() => setNow(performance.now()), 100)
    return () => clearInterval(timer)
  }, [running])
  return round ? Math.max(0, now - round.startedAt) : 0
}
