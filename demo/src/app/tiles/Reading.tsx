import type { Json } from '@skein/agent'
import type { Entity } from '../../model/home.js'
import { Icon, type IconName } from '../components/Icon.js'
import { useField } from '../hooks/space.js'

const ICONS: Readonly<Record<string, IconName>> = {
  temperature: 'temperature',
  humidity: 'humidity',
  illuminance: 'illuminance',
  motion: 'motion',
}

/** One thing a sensor measures. */
export function Reading({ entity }: { entity: Entity }) {
  const { reported } = useField(entity.id, 'state')
  const icon = ICONS[entity.deviceClass ?? '']
  return (
    <li
      className="reading"
      data-testid={`tile-${entity.id}`}
      data-value={String(reported)}
      data-active={reported === true}
      title={`${entity.name}: ${entity.device.manufacturer} ${entity.device.model.toLowerCase()}`}
    >
      {icon && <Icon name={icon} size={17} />}
      <span className="visually-hidden">{entity.name}</span>
      <span>{inWords(reported, entity)}</span>
    </li>
  )
}

function inWords(value: Json | undefined, { deviceClass, unit }: Entity): string {
  if (typeof value === 'boolean') {
    if (deviceClass === 'motion') return value ? 'Motion' : 'Still'
    return value ? 'On' : 'Off'
  }
  if (typeof value !== 'number') return '–'
  return `${deviceClass === 'temperature' ? value.toFixed(1) : value} ${unit ?? ''}`.trim()
}
