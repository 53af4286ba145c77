import type { PathStatus } from '@skein/agent'

export const HISTORY_MS = 60_000
/** Pause between two samples. */
export const SAMPLE_EVERY_MS = 1_000

export interface Sample {
  readonly atMs: number
  /** Undefined while the path was not open, not measured, or not watched. */
  readonly roundTripMs: number | undefined
}

/** The round trips of the last minute by URL; tabs have none. */
export type PathHistory = ReadonlyMap<string, readonly Sample[]>

/** The history with one more sample of each path, without what is too old, or of no path any more. */
export function withSample(history: PathHistory, paths: readonly PathStatus[], nowMs: number): PathHistory {
  return new Map(
    paths
      .filter(({ kind }) => kind !== 'tab')
      .map(({ url, state, roundTripMs }) => {
        const isOpen = state === 'good' || state === 'suspect' || state === 'silent'
        const recent = (history.get(url) ?? []).filter(({ atMs }) => atMs > nowMs - HISTORY_MS)
        return [url, [...recent, { atMs: nowMs, roundTripMs: isOpen ? roundTripMs : undefined }]]
      }),
  )
}

/** The history where nobody watched for a while: what follows is not joined to what was before. */
export function withGap(history: PathHistory, nowMs: number): PathHistory {
  return new Map(
    [...history].map(([url, samples]) => [url, [...samples, { atMs: nowMs, roundTripMs: undefined }]]),
  )
}

/** The highest round trip of all, so that paths are drawn to one scale; at least `floorMs`. */
export function topOf(history: PathHistory, floorMs: number): number {
  const all = [...history.values()].flat()
  return all.reduce((top, { roundTripMs }) => Math.max(top, roundTripMs ?? 0), floorMs)
}

/** An SVG path of samples, the newest at the right edge; it has gaps where the path was not open. */
export function sparkline(
  samples: readonly Sample[],
  { nowMs, topMs, width, height }: { nowMs: number; topMs: number; width: number; height: number },
): string {
  let isOpen = false
  return samples
    .map(({ atMs, roundTripMs }) => {
      if (roundTripMs === undefined) {
        isOpen = false
        return ''
      }
      const x = width * (1 - (nowMs - atMs) / HISTORY_MS)
      const y = height * (1 - Math.min(1, roundTripMs / topMs))
      // A single sample between gaps is a dot: a line of no length with round ends.
      const step = isOpen ? `L${round(x)} ${round(y)}` : `M${round(x)} ${round(y)}h0`
      isOpen = true
      return step
    })
    .join('')
}

const round = (value: number): number => Math.round(value * 10) / 10
