import { ALARM } from '../../model/guarded.js'
import type { Entity } from '../../model/home.js'
import { HoldButton } from '../components/HoldButton.js'
import { Icon } from '../components/Icon.js'
import { useAgent } from '../hooks/agent.js'
import { useGuarded, useRounds } from '../security/hooks.js'
import { GuardedTile } from './GuardedTile.js'

const MODES = [
  { state: 'armed_home', label: 'Home', verb: 'Arm for home' },
  { state: 'armed_away', label: 'Away', verb: 'Arm for away' },
] as const

/** Arming takes a tap, disarming a hold, and both a majority; to trigger it takes nobody else. */
export function AlarmTile({ entity }: { entity: Entity }) {
  const { desk } = useAgent()
  const state = useGuarded(ALARM)
  const busy = useRounds(ALARM).some((round) => !round.outcome)
  const triggered = state.wanted === 'triggered'
  return (
    <GuardedTile entity={entity} guarded={ALARM} kind="alarm" state={state}>
      <div className="alarm-taps">
        <fieldset className="segments segments-two">
          <legend className="visually-hidden">{entity.name} mode</legend>
          {MODES.map(({ state: mode, label, verb }) => (
            <label key={mode}>
              <input
                type="radio"
                name={`${entity.id}-mode`}
                data-testid={`${entity.id}-${mode}`}
                checked={state.wanted === mode}
                disabled={busy || triggered}
                onChange={() => void desk.ask(ALARM, mode, verb, { lifting: false })}
              />
              <span>{label}</span>
            </label>
          ))}
        </fieldset>
        <button
          type="button"
          className="round trigger"
          title="Trigger the alarm; works offline, too"
          aria-label="Trigger the alarm"
          data-testid={`${entity.id}-trigger`}
          disabled={triggered}
          onClick={() => desk.pull(ALARM)}
        >
          <Icon name="bell" />
        </button>
      </div>
      {state.wanted !== 'disarmed' && (
        <HoldButton
          verb="Disarm"
          what={entity.name}
          icon="security"
          busy={busy}
          testId={`${entity.id}-disarm`}
          onHeld={() => void desk.ask(ALARM, 'disarmed', 'Disarm', { lifting: true })}
        />
      )}
    </GuardedTile>
  )
}
