import type { Json } from '@skein/agent'
import { areaKey, deviceKey, type EntityId, entityKey } from './keys.js'

/**
 * The home that the simulated devices bring along, as `[key, value]` pairs: four areas and what is in
 * them. Pure data, always the same, so that agents that write it at once write the same.
 */
export function homePlan(): [key: string, value: Json][] {
  return [...AREAS.map(areaEntry), ...DEVICES.flatMap(deviceEntries)]
}

/** Every entity of the plan with the area it is in. */
export function plannedEntities(): { entity: EntityId; area: string }[] {
  return DEVICES.flatMap((device) => device.entities.map(({ entity }) => ({ entity, area: device.area })))
}

interface PlannedDevice {
  id: string
  area: string
  name: string
  model: string
  entities: { entity: EntityId; name: string; [capability: string]: Json }[]
}

const MANUFACTURER = 'Simulated'
const BRIDGE_ID = 'bridge'

const AREAS = [
  { id: 'living', name: 'Living room' },
  { id: 'kitchen', name: 'Kitchen' },
  { id: 'hall', name: 'Hall' },
  { id: 'bedroom', name: 'Bedroom' },
]

const DIMMABLE = ['brightness']
const COLORED = ['brightness', 'color']

const DEVICES: PlannedDevice[] = [
  lamp('living', 'light.living_ceiling', 'Ceiling', 'pendant', COLORED),
  lamp('living', 'light.living_reading', 'Reading lamp', 'floor', COLORED),
  thermostat('living', 'Living room'),
  blind('living', 'cover.living', 'Terrace blind'),
  lamp('kitchen', 'light.kitchen', 'Table', 'pendant', COLORED),
  lamp('kitchen', 'light.kitchen_counter', 'Counter', 'strip', DIMMABLE),
  {
    id: 'kitchen_climate_sensor',
    area: 'kitchen',
    name: 'Kitchen climate sensor',
    model: 'Temperature and humidity sensor',
    entities: climateSensors('kitchen'),
  },
  blind('kitchen', 'cover.kitchen', 'Window blind'),
  single('kitchen', 'gas_valve', 'Shut-off valve', 'valve.gas', 'Gas'),
  single('hall', 'front_door_lock', 'Door lock', 'lock.front_door', 'Front door'),
  single('hall', 'alarm_panel', 'Alarm panel and siren', 'alarm_control_panel.home', 'Alarm'),
  lamp('hall', 'light.hall', 'Ceiling', 'pendant', DIMMABLE),
  {
    id: 'hall_motion_sensor',
    area: 'hall',
    name: 'Hall motion sensor',
    model: 'Motion and light sensor',
    entities: [
      { entity: 'binary_sensor.hall_motion', name: 'Motion', device_class: 'motion' },
      { entity: 'sensor.hall_illuminance', name: 'Light', device_class: 'illuminance', unit: 'lx' },
    ],
  },
  lamp('bedroom', 'light.bedroom', 'Ceiling', 'pendant', COLORED),
  lamp('bedroom', 'light.bedroom_bedside', 'Bedside', 'table', COLORED),
  thermostat('bedroom', 'Bedroom'),
  blind('bedroom', 'cover.bedroom', 'Blind'),
]

function lamp(
  area: string,
  entity: EntityId,
  name: string,
  shape: string,
  features: string[],
): PlannedDevice {
  const model = features.includes('color') ? 'Colour lamp' : 'Dimmable lamp'
  return {
    id: entity.replace('light.', 'lamp_'),
    area,
    name,
    model,
    entities: [{ entity, name, shape, features }],
  }
}

/** A device with one function. */
function single(area: string, id: string, model: string, entity: EntityId, name: string): PlannedDevice {
  return { id, area, name, model, entities: [{ entity, name }] }
}

function blind(area: string, entity: EntityId, name: string): PlannedDevice {
  return {
    id: entity.replace('cover.', 'blind_'),
    area,
    name,
    model: 'Roller blind',
    entities: [{ entity, name }],
  }
}

function thermostat(area: string, name: string): PlannedDevice {
  return {
    id: `thermostat_${area}`,
    area,
    name: `${name} thermostat`,
    model: 'Thermostat',
    entities: [{ entity: `climate.${area}`, name: 'Thermostat' }, ...climateSensors(area)],
  }
}

function climateSensors(area: string): PlannedDevice['entities'] {
  return [
    {
      entity: `sensor.${area}_temperature`,
      name: 'Temperature',
      device_class: 'temperature',
      unit: '°C',
    },
    { entity: `sensor.${area}_humidity`, name: 'Humidity', device_class: 'humidity', unit: '%' },
  ]
}

function areaEntry({ id, name }: { id: string; name: string }, order: number): [string, Json] {
  return [areaKey(id), { name, order }]
}

function deviceEntries({ id, area, name, model, entities }: PlannedDevice): [string, Json][] {
  const device = { name, manufacturer: MANUFACTURER, model, via_device: BRIDGE_ID, area_id: area }
  return [
    [deviceKey(id), device],
    ...entities.map(({ entity, ...rest }): [string, Json] => [entityKey(entity), { device_id: id, ...rest }]),
  ]
}
