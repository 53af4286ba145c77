import { GAS } from '../../model/guarded.js'
import type { Entity } from '../../model/home.js'
import { HoldButton } from '../components/HoldButton.js'
import { PlainAction } from '../components/PlainAction.js'
import { useAgent } from '../hooks/agent.js'
import { useGuarded, useRounds } from '../security/hooks.js'
import { GuardedTile } from './GuardedTile.js'

/** Closing is a latch and works anywhere; lifting the latch, and then opening, takes a majority each. */
export function ValveTile({ entity }: { entity: Entity }) {
  const { desk } = useAgent()
  const state = useGuarded(GAS)
  const busy = useRounds(GAS).some((round) => !round.outcome)
  const latched = state.latches.length > 0
  return (
    <GuardedTile entity={entity} guarded={GAS} kind="valve" state={state}>
      {state.wanted === 'open' && (
        <PlainAction
          verb="Close gas"
          why="works offline, too"
          icon="latch"
          testId={`${entity.id}-close`}
          onPress={() => desk.pull(GAS)}
        />
      )}
      {state.wanted === 'closed' && latched && (
        <HoldButton
          verb="Lift latch"
          what={entity.name}
          icon="latch"
          busy={busy}
          testId={`${entity.id}-lift`}
          onHeld={() => void desk.ask(GAS, 'closed', 'Lift latch', { lifting: true })}
        />
      )}
      {state.wanted === 'closed' && !latched && (
        <HoldButton
          verb="Open gas"
          what={entity.name}
          icon="flame"
          busy={busy}
          testId={`${entity.id}-open`}
          onHeld={() => void desk.ask(GAS, 'open', 'Open', { lifting: false })}
        />
      )}
    </GuardedTile>
  )
}
