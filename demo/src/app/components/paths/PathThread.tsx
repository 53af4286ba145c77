import type { PathStatus } from '@skein/agent'
import { useRef } from 'react'
import { usePulses } from '../../paths/pulses.js'

/** Room at both ends for the knots. */
const INSET = 7

interface Props {
  readonly path: PathStatus
  /** Nobody is at its other end. */
  readonly isKilled: boolean
  /** Height at which it arrives, in pixels. */
  readonly at: number
  readonly width: number
  readonly height: number
}

/** One path as a thread: strong in use, thin in reserve, cut where there is no connection; alive with its traffic. */
export function PathThread({ path, isKilled, at, width, height }: Props) {
  const pulses = useRef<SVGGElement>(null)
  const isNarrow = width < 100
  // On phones the agent stands above its paths, on desktops beside them.
  const d = isNarrow
    ? `M${INSET} 0V${at - INSET * 2}Q${INSET} ${at} ${INSET * 3} ${at}H${width - INSET}`
    : fan(INSET, height / 2, width - INSET, at)
  usePulses(pulses, path, d)
  return (
    <g className="path-thread" data-state={isKilled ? 'killed' : path.state} data-role={path.role}>
      <path className="path-line" d={d} pathLength={100} />
      <g ref={pulses} />
      <circle className="path-knot" cx={width - INSET} cy={at} r={5} />
    </g>
  )
}

function fan(fromX: number, fromY: number, toX: number, toY: number): string {
  const bend = (toX - fromX) * 0.55
  return `M${fromX} ${fromY}C${fromX + bend} ${fromY} ${toX - bend} ${toY} ${toX} ${toY}`
}
