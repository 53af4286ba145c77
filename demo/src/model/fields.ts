import type { Json } from '@skein/agent'
import type { Domain } from './keys.js'

/** One field of a domain: who may want it, which values it takes, how people read it. */
export interface Field {
  /** What people call it, in lower case. */
  readonly label: string
  /** Whether it can be wanted (`desired/`), as against only reported. */
  readonly commanded: boolean
  /** The value in the field's range, or undefined if it is of no use to a device. */
  accept(value: Json | undefined): Json | undefined
  /** The value for people. */
  format(value: Json): string
}

export const CLIMATE_MODES = ['off', 'heat', 'cool'] as const
export type ClimateMode = (typeof CLIMATE_MODES)[number]

/** Degrees Celsius; the step is what the buttons move. */
export const TARGET = { min: 5, max: 30, step: 0.5 } as const

const onOff: Field = {
  label: 'power',
  commanded: true,
  accept: (value) => (typeof value === 'boolean' ? value : undefined),
  format: (value) => (value === true ? 'on' : 'off'),
}

const percent = (label: string): Field => ({
  label,
  commanded: true,
  accept: (value) => number(value, 0, 100, 1),
  format: (value) => `${value} %`,
})

const color: Field = {
  label: 'colour',
  commanded: true,
  accept: (value) =>
    typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value) ? value.toLowerCase() : undefined,
  format: (value) => LAMP_COLORS.find((it) => it.hex === value)?.name ?? String(value),
}

const mode: Field = {
  label: 'mode',
  commanded: true,
  accept: (value) => CLIMATE_MODES.find((it) => it === value),
  format: String,
}

const target: Field = {
  label: 'target',
  commanded: true,
  accept: (value) => number(value, TARGET.min, TARGET.max, TARGET.step),
  format: degrees,
}

const current: Field = {
  label: 'temperature',
  commanded: false,
  accept: (value) => number(value, -60, 80, 0.1),
  format: degrees,
}

const state = (accept: Field['accept']): Field => ({
  label: 'state',
  commanded: false,
  accept,
  format: String,
})

/** What devices behind a strong key say of the commands that they took, and of the last they did not. */
const guarded = (states: readonly string[]): Readonly<Record<string, Field>> => ({
  state: state((value) => states.find((it) => it === value)),
  fence: { ...state((value) => number(value, 0, Number.MAX_SAFE_INTEGER, 1)), label: 'fence' },
  refused: { ...state(words), label: 'refused' },
  lifted: { ...state(words), label: 'lifted latches' },
})

/** The fields of each domain, in Home Assistant's words. Colour is `#rrggbb`, position 100 is open. */
export const FIELDS: Readonly<Record<Domain, Readonly<Record<string, Field>>>> = {
  lock: guarded(['locked', 'unlocked']),
  alarm_control_panel: guarded(['disarmed', 'armed_home', 'armed_away', 'triggered']),
  valve: guarded(['closed', 'open']),
  light: { on: onOff, brightness: percent('brightness'), color },
  climate: { target, current, mode },
  cover: { position: percent('position') },
  sensor: { state: state((value) => number(value, -1e9, 1e9, 0.1)) },
  binary_sensor: { state: state((value) => (typeof value === 'boolean' ? value : undefined)) },
}

/** Whites and colours that lamps offer with one press. */
export const LAMP_COLORS = [
  { hex: '#ffb46b', name: 'candle' },
  { hex: '#ffd9a8', name: 'warm white' },
  { hex: '#f4f3ff', name: 'daylight' },
  { hex: '#ff7a6b', name: 'coral' },
  { hex: '#7fd6a4', name: 'mint' },
  { hex: '#6f9bff', name: 'blue' },
] as const

export function degrees(value: Json): string {
  return typeof value === 'number' ? `${value.toFixed(1)}°` : String(value)
}

function words(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Clamps to the range and rounds to the step, without the dust of binary fractions. */
function number(value: Json | undefined, min: number, max: number, step: number): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  const steps = Math.round(Math.min(max, Math.max(min, value)) / step)
  return Number((steps * step).toFixed(3))
}
