import type { CSSProperties } from 'react'
import type { Area, Entity } from '../../model/home.js'
import { domainOf } from '../../model/keys.js'
import { areaHref } from '../hooks/route.js'
import { Reading } from '../tiles/Reading.js'
import { EntityTile } from './EntityTile.js'

/** An area with what its sensors read and a tile for each device that can be told something. */
export function AreaSection({ area, alone = false }: { area: Area; alone?: boolean }) {
  const sensors = area.entities.filter(isSensor)
  const others = area.entities.filter((entity) => !isSensor(entity))
  const id = `area-${area.id}-title`
  return (
    <section
      className={alone ? 'area area-alone' : 'area'}
      style={{ '--tiles': Math.max(1, others.length) } as CSSProperties}
      aria-labelledby={id}
    >
      <div className="area-head">
        {alone ? (
          <h1 id={id}>{area.name}</h1>
        ) : (
          <h2 id={id}>
            <a href={areaHref(area.id)}>{area.name}</a>
          </h2>
        )}
        {sensors.length > 0 && (
          <ul className="readings">
            {sensors.map((entity) => (
              <Reading key={entity.id} entity={entity} />
            ))}
          </ul>
        )}
      </div>
      <div className="tiles">
        {others.map((entity) => (
          <EntityTile key={entity.id} entity={entity} />
        ))}
      </div>
    </section>
  )
}

function isSensor(entity: Entity): boolean {
  const domain = domainOf(entity.id)
  return domain === 'sensor' || domain === 'binary_sensor'
}
