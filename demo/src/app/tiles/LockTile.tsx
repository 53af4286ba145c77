import { COMMAND_MS, FRONT_DOOR } from '../../model/guarded.js'
import type { Entity } from '../../model/home.js'
import { HoldButton } from '../components/HoldButton.js'
import { PlainAction } from '../components/PlainAction.js'
import { useAgent } from '../hooks/agent.js'
import { useNow } from '../hooks/now.js'
import { useGuarded, useRounds } from '../security/hooks.js'
import { GuardedTile } from './GuardedTile.js'

/** Unlocking takes a hold and a majority; locking takes a tap and, in need, nobody else. */
export function LockTile({ entity }: { entity: Entity }) {
  const { desk } = useAgent()
  const state = useGuarded(FRONT_DOOR)
  const now = useNow(1_000)
  const busy = useRounds(FRONT_DOOR).some((round) => !round.outcome)
  return (
    <GuardedTile entity={entity} guarded={FRONT_DOOR} kind="lock" state={state}>
      {state.wanted === 'locked' ? (
        <HoldButton
          verb="Unlock"
          what={entity.name}
          icon="unlock"
          busy={busy}
          testId={`${entity.id}-unlock`}
          onHeld={() => void desk.ask(FRONT_DOOR, 'unlocked', 'Unlock', { lifting: true })}
        />
      ) : (
        <PlainAction
          verb="Lock"
          why={untilInWords(state.decided?.target?.until, now)}
          icon="lock"
          testId={`${entity.id}-lock`}
          onPress={() => void desk.ask(FRONT_DOOR, 'locked', 'Lock', { lifting: false })}
        />
      )}
    </GuardedTile>
  )
}

/** The door shuts itself when the command that opened it is no longer good. */
function untilInWords(until: number | undefined, now: number): string {
  const seconds = Math.ceil(Math.min((until ?? 0) - now, COMMAND_MS) / 1_000)
  return seconds > 0 ? `locks itself in ${seconds} s` : 'locks itself'
}
