import type { Json } from '@skein/agent'
import { DOMAINS, domainOf, type EntityId, parseEntityId } from './keys.js'

export interface Device {
  readonly id: string
  readonly name: string
  readonly manufacturer: string
  readonly model: string
  /** The device it is reached through, such as a bridge. */
  readonly viaDevice: string | undefined
  readonly areaId: string
}

export interface Entity {
  readonly id: EntityId
  readonly name: string
  readonly device: Device
  /** What it can do beyond its domain's minimum, e.g. `brightness` and `color` of a light. */
  readonly features: readonly string[]
  /** How to draw it, e.g. `pendant`. */
  readonly shape: string | undefined
  /** Sensors: what is measured, e.g. `temperature`. */
  readonly deviceClass: string | undefined
  /** Sensors: the unit of the value. */
  readonly unit: string | undefined
}

export interface Area {
  readonly id: string
  readonly name: string
  readonly order: number
  /** In the order of the domains, temperature before the others; by name within. */
  readonly entities: readonly Entity[]
}

type Entries = readonly (readonly [key: string, value: Json])[]

const CLASS_ORDER = ['temperature', 'humidity', 'illuminance', 'motion']

/**
 * The home from the entries under `area/`, `device/` and `entity/`. Whatever another agent wrote there,
 * this returns what can be shown: parts that are malformed or lead nowhere are left out.
 */
export function homeOf(areas: Entries, devices: Entries, entities: Entries): Area[] {
  const deviceById = new Map(devices.map(([key, value]) => [idOf(key), readDevice(idOf(key), value)]))
  const byArea = new Map<string, Entity[]>()
  for (const [key, value] of entities) {
    const entity = readEntity(idOf(key), value, deviceById)
    if (!entity) continue
    const list = byArea.get(entity.device.areaId) ?? []
    byArea.set(entity.device.areaId, [...list, entity])
  }
  return areas
    .flatMap(([key, value]): Area[] => {
      const fields = record(value)
      if (!fields || typeof fields.name !== 'string') return []
      const id = idOf(key)
      const order = typeof fields.order === 'number' ? fields.order : Number.MAX_SAFE_INTEGER
      return [{ id, name: fields.name, order, entities: (byArea.get(id) ?? []).sort(inOrder) }]
    })
    .sort((a, b) => a.order - b.order || a.name.localeCompare(b.name))
}

function readDevice(id: string, value: Json): Device | undefined {
  const fields = record(value)
  if (!fields) return undefined
  const areaId = text(fields.area_id)
  if (areaId === undefined) return undefined
  return {
    id,
    areaId,
    name: text(fields.name) ?? id,
    manufacturer: text(fields.manufacturer) ?? '',
    model: text(fields.model) ?? '',
    viaDevice: text(fields.via_device),
  }
}

function readEntity(
  id: string,
  value: Json,
  devices: ReadonlyMap<string, Device | undefined>,
): Entity | undefined {
  const entityId = parseEntityId(id)
  const fields = record(value)
  const device = fields && devices.get(text(fields.device_id) ?? '')
  if (!entityId || !fields || !device) return undefined
  const features = fields.features
  return {
    id: entityId,
    device,
    name: text(fields.name) ?? id,
    features: Array.isArray(features) ? features.filter((it) => typeof it === 'string') : [],
    shape: text(fields.shape),
    deviceClass: text(fields.device_class),
    unit: text(fields.unit),
  }
}

function inOrder(a: Entity, b: Entity): number {
  const rank = ({ id, deviceClass = '' }: Entity) =>
    DOMAINS.indexOf(domainOf(id)) * 100 + CLASS_ORDER.indexOf(deviceClass)
  return rank(a) - rank(b) || a.name.localeCompare(b.name)
}

const idOf = (key: string): string => key.slice(key.indexOf('/') + 1)
const text = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined)

function record(value: Json): { readonly [key: string]: Json } | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })
    : undefined
}
