import { useEffect, useRef } from 'react'
import type { Area, Entity } from '../../model/home.js'
import { domainOf } from '../../model/keys.js'
import { areaHref, useRoute } from '../hooks/route.js'
import { useField } from '../hooks/space.js'
import { lampStyle } from '../tiles/lamp-style.js'

/** The way to each area: a list beside the tiles on desktops, a row of chips on phones. */
export function AreaList({ areas }: { areas: readonly Area[] }) {
  const route = useRoute()
  const current = route.view === 'area' ? route.area : undefined
  const list = useRef<HTMLElement>(null)
  useEffect(() => {
    const chip = list.current?.querySelector(current ? `[data-testid="area-${CSS.escape(current)}"]` : 'a')
    chip?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [current])
  return (
    <nav className="areas" aria-label="Areas" ref={list}>
      <a href="#/" className="area-link" aria-current={route.view === 'home' ? 'page' : undefined}>
        <span className="area-name">Whole home</span>
      </a>
      {areas.map((area) => (
        <a
          key={area.id}
          href={areaHref(area.id)}
          className="area-link"
          data-testid={`area-${area.id}`}
          aria-current={current === area.id ? 'page' : undefined}
        >
          <span className="area-name">{area.name}</span>
          <AreaTemperature area={area} />
          <span className="area-lamps">
            {area.entities
              .filter((entity) => domainOf(entity.id) === 'light')
              .map((entity) => (
                <LampDot key={entity.id} entity={entity} />
              ))}
          </span>
        </a>
      ))}
    </nav>
  )
}

function AreaTemperature({ area }: { area: Area }) {
  const sensor = area.entities.find((entity) => entity.deviceClass === 'temperature')
  return sensor ? <Temperature entity={sensor} /> : null
}

function Temperature({ entity }: { entity: Entity }) {
  const { reported } = useField(entity.id, 'state')
  return (
    <span className="area-temperature">{typeof reported === 'number' ? `${reported.toFixed(1)}°` : ''}</span>
  )
}

function LampDot({ entity }: { entity: Entity }) {
  const on = useField(entity.id, 'on').reported
  const brightness = useField(entity.id, 'brightness').reported
  const color = useField(entity.id, 'color').reported
  return <i className="area-lamp" style={lampStyle(on, brightness, color)} />
}
