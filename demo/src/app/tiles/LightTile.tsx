import { LAMP_COLORS } from '../../model/fields.js'
import type { Entity } from '../../model/home.js'
import { ColorPicker } from '../components/ColorPicker.js'
import { Slider } from '../components/Slider.js'
import { Switch } from '../components/Switch.js'
import { useAgent } from '../hooks/agent.js'
import { useField } from '../hooks/space.js'
import { useTileState } from '../hooks/tile.js'
import { LampArt } from './LampArt.js'
import { lampStyle } from './lamp-style.js'
import { Tile } from './Tile.js'

const FIELDS = ['on', 'brightness', 'color'] as const

/** Controls show what is wanted; the glow is what the lamp reports. */
export function LightTile({ entity }: { entity: Entity }) {
  const { edits } = useAgent()
  const on = useField(entity.id, 'on')
  const brightness = useField(entity.id, 'brightness')
  const color = useField(entity.id, 'color')
  const state = useTileState(entity.id, FIELDS)
  const isOn = on.wanted === true
  const level = Number(brightness.wanted ?? 0)
  return (
    <Tile
      entity={entity}
      kind="light"
      on={isOn}
      state={state}
      style={lampStyle(on.reported, brightness.reported, color.reported)}
      art={<LampArt shape={entity.shape} />}
      corner={
        <Switch
          checked={isOn}
          onChange={(next) => edits.want(entity.id, { on: next })}
          label={`${entity.name} power`}
          testId={`${entity.id}-on`}
        />
      }
      value={isOn ? `${level} %` : 'Off'}
    >
      <Slider
        value={level}
        reported={typeof brightness.reported === 'number' ? brightness.reported : undefined}
        onChange={(next) =>
          edits.want(entity.id, isOn ? { brightness: next } : { brightness: next, on: true })
        }
        label={`${entity.name} brightness`}
        valueText={(it) => `${it} percent`}
        testId={`${entity.id}-brightness`}
      />
      {entity.features.includes('color') && (
        <ColorPicker
          value={typeof color.wanted === 'string' ? color.wanted : LAMP_COLORS[1].hex}
          onChange={(next) => edits.want(entity.id, { color: next })}
          label={`${entity.name} colour`}
          testId={`${entity.id}-color`}
        />
      )}
    </Tile>
  )
}
