import type { CSSProperties } from 'react'
import type { DragPicture } from '../acts/act.js'

/** Heights of the two lanes in the picture's units, and of the picture. */
const MADE = 14
const ARRIVED = 58
const HEIGHT = 72
/** A drag takes this long at least, so that the picture grows from left to right while it is under way. */
const SPAN_MS = 3_200

/** Each edit of a drag as a thread from when it was made here to when another agent had it. */
export function DragPlot({ drag: { edits, killedMs, takenMs } }: { drag: DragPicture }) {
  const startMs = edits[0]?.madeMs ?? 0
  const lastMs = Math.max(...edits.map(({ madeMs, arrivedMs = madeMs }) => Math.max(madeMs, arrivedMs)), 0)
  const spanMs = Math.max(SPAN_MS, lastMs - startMs)
  const x = (ms: number) => ((ms - startMs) / spanMs) * 100
  return (
    <div className="drag-plot" aria-hidden="true">
      <p className="drag-lane">made here</p>
      <svg viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path className="lane-line" d={`M0 ${MADE}H100M0 ${ARRIVED}H100`} />
        {edits.map(({ value, madeMs, arrivedMs }) => (
          <path
            key={value}
            className={arrivedMs === undefined ? 'drag-edit drag-missing' : 'drag-edit'}
            d={`M${x(madeMs)} ${MADE - 6}V${MADE}${arrivedMs === undefined ? '' : `L${x(arrivedMs)} ${ARRIVED}v6`}`}
          />
        ))}
        {killedMs !== undefined && <path className="drag-kill" d={`M${x(killedMs)} 0V${HEIGHT}`} />}
        {takenMs !== undefined && <path className="drag-taken" d={`M${x(takenMs)} 0V${HEIGHT}`} />}
      </svg>
      <p className="drag-lane">at another agent</p>
      {killedMs !== undefined && (
        <span className="drag-word" style={{ '--at': `${x(killedMs)}%` } as CSSProperties}>
          killed
        </span>
      )}
      {takenMs !== undefined && (
        <span className="drag-word drag-taken-word" style={{ '--at': `${x(takenMs)}%` } as CSSProperties}>
          another path
        </span>
      )}
    </div>
  )
}
