import { degrees, TARGET } from '../../model/fields.js'

const CENTER = { x: 60, y: 58 } as const
const RADIUS = 48
/** The scale runs over the top, from this far left of it to as far right. */
const SPREAD_DEGREES = 105
/** What the scale shows; a room is never far outside. */
const SCALE = { min: 10, max: 30 } as const

/** A thermostat's dial: ticks, the way from the room's temperature to the target, the reading inside. */
export function ClimateArt({
  target,
  current,
  mode,
}: {
  target: number
  current: number | undefined
  mode: string
}) {
  const from = current ?? target
  return (
    <svg className={`climate-art climate-${mode}`} viewBox="0 0 120 96" aria-hidden="true">
      {ticks().map(([value, long]) => (
        <path key={value} className="tick" d={radial(value, RADIUS - (long ? 7 : 4), RADIUS)} />
      ))}
      {Math.abs(from - target) >= 0.1 && <path className="way" d={arc(from, target, RADIUS - 3.5)} />}
      <path className="needle" d={radial(target, RADIUS - 11, RADIUS + 3)} />
      <text className="reading" x={CENTER.x} y={CENTER.y + 10}>
        {current === undefined ? '–' : degrees(current)}
      </text>
    </svg>
  )
}

function ticks(): [value: number, long: boolean][] {
  const count = (SCALE.max - SCALE.min) * 2 + 1
  return Array.from({ length: count }, (_, index) => [SCALE.min + index / 2, index % 10 === 0])
}

function radial(value: number, inner: number, outer: number): string {
  const [a, b] = [point(value, inner), point(value, outer)]
  return `M${a.x} ${a.y}L${b.x} ${b.y}`
}

function arc(from: number, to: number, radius: number): string {
  const [a, b] = [point(from, radius), point(to, radius)]
  const large = Math.abs(angle(to) - angle(from)) > Math.PI ? 1 : 0
  return `M${a.x} ${a.y}A${radius} ${radius} 0 ${large} ${to > from ? 1 : 0} ${b.x} ${b.y}`
}

function point(value: number, radius: number): { x: string; y: string } {
  return {
    x: (CENTER.x + radius * Math.sin(angle(value))).toFixed(2),
    y: (CENTER.y - radius * Math.cos(angle(value))).toFixed(2),
  }
}

/** Radians clockwise from the top. */
function angle(value: number): number {
  const clamped = Math.min(SCALE.max, Math.max(SCALE.min, Math.max(TARGET.min, value)))
  const share = (clamped - SCALE.min) / (SCALE.max - SCALE.min)
  return ((share * 2 - 1) * SPREAD_DEGREES * Math.PI) / 180
}
