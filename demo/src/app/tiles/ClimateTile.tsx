import { CLIMATE_MODES, degrees, FIELDS, TARGET } from '../../model/fields.js'
import type { Entity } from '../../model/home.js'
import { Icon } from '../components/Icon.js'
import { useAgent } from '../hooks/agent.js'
import { useField } from '../hooks/space.js'
import { useTileState } from '../hooks/tile.js'
import { ClimateArt } from './ClimateArt.js'
import { Tile } from './Tile.js'

const FIELD_NAMES = ['target', 'mode'] as const
const MODE_LABELS = { off: 'Off', heat: 'Heat', cool: 'Cool' } as const

export function ClimateTile({ entity }: { entity: Entity }) {
  const { edits } = useAgent()
  const target = useField(entity.id, 'target')
  const mode = useField(entity.id, 'mode')
  const current = useField(entity.id, 'current')
  const state = useTileState(entity.id, FIELD_NAMES)
  const wanted = typeof target.wanted === 'number' ? target.wanted : 20
  const now = typeof current.reported === 'number' ? current.reported : undefined
  const move = (by: number) => {
    const next = FIELDS.climate.target!.accept(wanted + by)
    if (next !== undefined && next !== wanted) edits.want(entity.id, { target: next })
  }
  return (
    <Tile
      entity={entity}
      kind="climate"
      state={state}
      art={<ClimateArt target={wanted} current={now} mode={String(mode.reported ?? 'off')} />}
      value={
        now === undefined ? 'No reading yet' : doing(String(mode.reported), Number(target.reported), now)
      }
    >
      <div className="stepper">
        <button
          type="button"
          className="round"
          aria-label={`${entity.name} target down`}
          data-testid={`${entity.id}-target-down`}
          disabled={wanted <= TARGET.min}
          onClick={() => move(-TARGET.step)}
        >
          <Icon name="minus" />
        </button>
        <output
          className="stepper-value"
          aria-label={`${entity.name} target`}
          data-testid={`${entity.id}-target`}
          data-value={wanted}
        >
          {degrees(wanted)}
          <small>target</small>
        </output>
        <button
          type="button"
          className="round"
          aria-label={`${entity.name} target up`}
          data-testid={`${entity.id}-target-up`}
          disabled={wanted >= TARGET.max}
          onClick={() => move(TARGET.step)}
        >
          <Icon name="plus" />
        </button>
      </div>
      <fieldset className="segments">
        <legend className="visually-hidden">{entity.name} mode</legend>
        {CLIMATE_MODES.map((it) => (
          <label key={it}>
            <input
              type="radio"
              name={`${entity.id}-mode`}
              data-testid={`${entity.id}-mode-${it}`}
              checked={mode.wanted === it}
              onChange={() => edits.want(entity.id, { mode: it })}
            />
            <span>{MODE_LABELS[it]}</span>
          </label>
        ))}
      </fieldset>
    </Tile>
  )
}

/** What the thermostat is at, by what it reports itself. */
function doing(mode: string, target: number, now: number): string {
  if (mode === 'heat') return now < target - 0.1 ? `Heating to ${degrees(target)}` : 'Holding'
  if (mode === 'cool') return now > target + 0.1 ? `Cooling to ${degrees(target)}` : 'Holding'
  return 'Off'
}
