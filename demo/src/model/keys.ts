/**
 * The home's flat keys in the shared state. Flat, because two agents that create the same nested map at
 * once lose one of the two; and one key per field, so that brightness and colour merge side by side.
 *
 *     area/<id>                   an area
 *     device/<id>                 a device
 *     entity/<domain>.<id>        what one function of a device is, and can do
 *     desired/<entity>/<field>    what somebody wants; anyone writes
 *     reported/<entity>/<field>   what the device says; only its bridge writes
 *     latch/<entity>/<agent>      how often an agent pulled the entity to its safe side; see latches.ts
 *
 * Keys under STRONG_PREFIXES are not in the shared document at all: a majority of the relays decides them.
 */
/** In the order in which people look for them. */
export const DOMAINS = [
  'lock',
  'alarm_control_panel',
  'light',
  'climate',
  'cover',
  'valve',
  'sensor',
  'binary_sensor',
] as const
export type Domain = (typeof DOMAINS)[number]
export type EntityId = `${Domain}.${string}`

export const areaKey = (id: string): string => `area/${id}`
export const deviceKey = (id: string): string => `device/${id}`
export const entityKey = (entity: EntityId): string => `entity/${entity}`
export const desiredKey = (entity: EntityId, field: string): string => `desired/${entity}/${field}`
/** Declared by every agent that joins, and by every relay. */
export const STRONG_PREFIXES = ['lock/', 'alarm/', 'valve/'] as const

export const latchPrefix = (entity: EntityId): `${string}/` => `latch/${entity}/`
export const reportedKey = (entity: EntityId, field: string): string => `reported/${entity}/${field}`

/** The entity id in a string such as `light.hall`, or undefined if it is none. */
export function parseEntityId(id: string): EntityId | undefined {
  const dot = id.indexOf('.')
  if (dot < 1 || dot === id.length - 1 || id.includes('/')) return undefined
  return (DOMAINS as readonly string[]).includes(id.slice(0, dot)) ? (id as EntityId) : undefined
}

export function domainOf(entity: EntityId): Domain {
  return entity.slice(0, entity.indexOf('.')) as Domain
}

/** What a `desired/...` or `reported/...` key names, or undefined for any other key. */
export function parseFieldKey(
  key: string,
): { side: 'desired' | 'reported'; entity: EntityId; field: string } | undefined {
  const [side, id, field, ...rest] = key.split('/')
  if ((side !== 'desired' && side !== 'reported') || !id || !field || rest.length > 0) return undefined
  const entity = parseEntityId(id)
  return entity && { side, entity, field }
}
