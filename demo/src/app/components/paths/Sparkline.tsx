import { type Sample, sparkline } from '../../../model/path-history.js'

const WIDTH = 96
const HEIGHT = 22

/** The round trips of the last minute; the number beside it is the one to read. */
export function Sparkline({ samples, topMs }: { samples: readonly Sample[]; topMs: number }) {
  const nowMs = samples.at(-1)?.atMs ?? 0
  return (
    <svg
      className="sparkline"
      width={WIDTH}
      height={HEIGHT}
      preserveAspectRatio="none"
      viewBox={`-2 -2 ${WIDTH + 4} ${HEIGHT + 4}`}
      aria-hidden="true"
    >
      <path className="sparkline-floor" d={`M0 ${HEIGHT}H${WIDTH}`} />
      <path d={sparkline(samples, { nowMs, topMs, width: WIDTH, height: HEIGHT - 2 })} />
    </svg>
  )
}
