import type { CSSProperties } from 'react'
import type { Entity } from '../../model/home.js'
import { Slider } from '../components/Slider.js'
import { useAgent } from '../hooks/agent.js'
import { useField } from '../hooks/space.js'
import { useTileState } from '../hooks/tile.js'
import { Tile } from './Tile.js'

const FIELDS = ['position'] as const

/** The window shows where the blind is; the slider where it should be. */
export function CoverTile({ entity }: { entity: Entity }) {
  const { edits } = useAgent()
  const position = useField(entity.id, 'position')
  const state = useTileState(entity.id, FIELDS)
  const wanted = Number(position.wanted ?? 0)
  const reported = typeof position.reported === 'number' ? position.reported : undefined
  return (
    <Tile
      entity={entity}
      kind="cover"
      state={state}
      style={{ '--open': reported ?? wanted } as CSSProperties}
      art={
        <div className="window">
          <div className="window-blind" />
        </div>
      }
      value={inWords(wanted)}
    >
      <Slider
        value={wanted}
        reported={reported}
        onChange={(next) => edits.want(entity.id, { position: next })}
        label={`${entity.name} position`}
        valueText={inWords}
        testId={`${entity.id}-position`}
      />
    </Tile>
  )
}

function inWords(position: number): string {
  if (position === 0) return 'Closed'
  return position === 100 ? 'Open' : `${position} % open`
}
