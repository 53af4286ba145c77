import type { Entity } from '../../model/home.js'
import { domainOf } from '../../model/keys.js'
import { AlarmTile } from '../tiles/AlarmTile.js'
import { ClimateTile } from '../tiles/ClimateTile.js'
import { CoverTile } from '../tiles/CoverTile.js'
import { LightTile } from '../tiles/LightTile.js'
import { LockTile } from '../tiles/LockTile.js'
import { ValveTile } from '../tiles/ValveTile.js'

/** The tile of an entity that can be told something; sensors have none. */
export function EntityTile({ entity }: { entity: Entity }) {
  switch (domainOf(entity.id)) {
    case 'lock':
      return <LockTile entity={entity} />
    case 'alarm_control_panel':
      return <AlarmTile entity={entity} />
    case 'valve':
      return <ValveTile entity={entity} />
    case 'light':
      return <LightTile entity={entity} />
    case 'climate':
      return <ClimateTile entity={entity} />
    case 'cover':
      return <CoverTile entity={entity} />
    case 'sensor':
    case 'binary_sensor':
      return null
  }
}
