import { type CSSProperties, type ReactNode, useId } from 'react'
import type { Entity } from '../../model/home.js'
import { Icon, type IconName } from '../components/Icon.js'
import type { TileState } from '../hooks/tile.js'

interface Props {
  entity: Entity
  kind: string
  state: TileState
  /** The picture at the top, and what stands in its corner. */
  art: ReactNode
  corner?: ReactNode
  /** The value in words. */
  value: ReactNode
  style?: CSSProperties
  /** Lights: whether it is wanted on. */
  on?: boolean
  children: ReactNode
}

/** The frame that all device tiles share: picture, name, value with its honesty, controls. */
export function Tile({ entity, kind, state, art, corner, value, style, on, children }: Props) {
  const title = useId()
  return (
    <article
      className={`tile tile-${kind}`}
      style={style}
      aria-labelledby={title}
      data-testid={`tile-${entity.id}`}
      data-on={on}
      data-pending={state.pending}
      data-queued={state.queued}
      data-reachable={state.reachable}
    >
      <div className="tile-art">{art}</div>
      {corner && <div className="tile-corner">{corner}</div>}
      <div className="tile-words">
        <h3 id={title}>{entity.name}</h3>
        <p className="tile-value">
          <span>{value}</span>
          <Mark state={state} />
        </p>
        <p className="tile-device">
          {entity.device.manufacturer} {entity.device.model.toLowerCase()}
        </p>
      </div>
      <div className="tile-controls">{children}</div>
    </article>
  )
}

/** The one thing about an edit that matters most now; nothing when device and wish agree. */
function Mark({ state }: { state: TileState }) {
  const mark = markOf(state)
  if (!mark) return null
  return (
    <span className={`mark mark-${mark.name}`} title={mark.why}>
      <Icon name={mark.name} size={14} />
      {mark.name}
    </span>
  )
}

function markOf(
  state: TileState,
): { name: IconName & ('refused' | 'queued' | 'pending'); why: string } | undefined {
  if (state.refused) {
    return { name: 'refused', why: 'A relay refused this change; it stays on this device.' }
  }
  if (state.queued) {
    return { name: 'queued', why: 'Kept on this device until a relay confirms it.' }
  }
  if (state.pending) {
    return { name: 'pending', why: 'Wanted, but the device has not reported it yet.' }
  }
  return undefined
}
