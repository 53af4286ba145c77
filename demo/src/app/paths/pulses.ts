import type { PathStatus } from '@skein/agent'
import { type RefObject, useEffect, useRef } from 'react'
import { useAgent } from '../hooks/agent.js'
import type { TrafficWay } from './traffic.js'

/** More of them at once could not be told apart. */
const GAP_MS = 160
/** How long a pulse is on its way, at least and at most; on top of the least comes the path's round trip. */
const TRAVEL_MS = { least: 420, most: 2_400 } as const

/** Lets dots run along the path's line, drawn into `group`, when something moves over it. */
export function usePulses(group: RefObject<SVGGElement | null>, path: PathStatus, d: string): void {
  const { traffic } = useAgent()
  const latest = useRef({ path, d })
  useEffect(() => {
    latest.current = { path, d }
  })
  useEffect(() => {
    const lastAt: Record<TrafficWay, number> = { out: 0, back: 0 }
    return traffic.listen(path.url, (way) => {
      const now = performance.now()
      if (!group.current || document.hidden || now - lastAt[way] < GAP_MS || wantsStill()) return
      lastAt[way] = now
      const { path: current, d: line } = latest.current
      const travelMs = TRAVEL_MS.least + 2 * (current.roundTripMs ?? 0)
      run(group.current, line, way, Math.min(TRAVEL_MS.most, travelMs))
    })
  }, [group, path.url, traffic])
}

function wantsStill(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches
}

/** A dash of no length with round ends is a dot, and its offset the place on the line. */
function run(group: SVGGElement, d: string, way: TrafficWay, travelMs: number): void {
  const dot = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  dot.setAttribute('class', 'path-pulse')
  dot.setAttribute('d', d)
  dot.setAttribute('pathLength', '100')
  group.append(dot)
  const ends = way === 'out' ? ['-2', '-98'] : ['-98', '-2']
  const animation = dot.animate(
    ends.map((strokeDashoffset) => ({ strokeDashoffset })),
    { duration: travelMs, easing: 'cubic-bezier(0.45, 0.1, 0.4, 1)' },
  )
  animation.onfinish = () => dot.remove()
  animation.oncancel = () => dot.remove()
}
