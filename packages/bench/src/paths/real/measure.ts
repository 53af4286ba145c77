import { quantile } from '../quantile.js'
import type { Arrival } from './reader-process.js'
import type { Way } from './ways.js'

/** What a writer did in one space, and what came of it. */
export interface RoomResult {
  readonly written: number
  readonly switches: number
  /** Bytes that its lines were given, up by the writer, down by the relays. */
  readonly up: number
  readonly down: number
  readonly faultsMs: readonly number[]
  readonly arrivals: readonly Arrival[]
  readonly forMs: number
}

export interface Measured {
  readonly p50: number
  readonly p99: number
  readonly worst: number
  readonly gapP95: number | undefined
  readonly gapWorst: number | undefined
  readonly up: number
  readonly bytes: number
  readonly written: number
  readonly lost: number
  readonly switchesPer10s: number
}

export interface ScenarioMeasured {
  readonly name: string
  readonly at: 'writer' | 'reader'
  readonly measured: ReadonlyMap<Way, Measured>
}

const GAP_WITHIN_MS = 1_000
/** What was sent just before a fault is on the line when it happens. */
const ON_LINE_MS = 50

export function measure(results: ReadonlyMap<Way, readonly RoomResult[]>): Map<Way, Measured> {
  return new Map([...results].map(([way, rooms]) => [way, measureWay(rooms)]))
}

function measureWay(rooms: readonly RoomResult[]): Measured {
  const deliveries = ascending(rooms.flatMap(({ arrivals }) => arrivals.map(delayOf)))
  const gaps = ascending(rooms.flatMap(gapsOf))
  const sum = (of: (room: RoomResult) => number) => rooms.reduce((total, room) => total + of(room), 0)
  return {
    p50: quantile(deliveries, 0.5)!,
    p99: quantile(deliveries, 0.99)!,
    worst: deliveries.at(-1)!,
    gapP95: quantile(gaps, 0.95),
    gapWorst: gaps.at(-1),
    up: sum(({ up }) => up),
    bytes: sum(({ up, down }) => up + down),
    written: sum(({ written }) => written),
    lost: sum(({ written, arrivals }) => written - arrivals.length),
    switchesPer10s: (10_000 * sum(({ switches }) => switches)) / sum(({ forMs }) => forMs),
  }
}

/** For each fault: how late the latest of the messages of the next second was, beyond the usual median. */
function gapsOf({ faultsMs, arrivals }: RoomResult): number[] {
  const usualMs = quantile(ascending(arrivals.map(delayOf)), 0.5)!
  return faultsMs.flatMap((faultMs) => {
    const hit = arrivals.filter(
      ([writtenMs]) => writtenMs >= faultMs - ON_LINE_MS && writtenMs < faultMs + GAP_WITHIN_MS,
    )
    return hit.length === 0 ? [] : [Math.max(0, ...hit.map((arrival) => delayOf(arrival) - usualMs))]
  })
}

function delayOf([writtenMs, arrivedMs]: Arrival): number {
  return arrivedMs - writtenMs
}

function ascending(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b)
}
