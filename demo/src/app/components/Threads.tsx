/**
 * Agents as threads: those whose replica equals this one's run into one strand, the others stay apart.
 * A picture beside the words that say the same.
 */
export function Threads({
  converged,
  width = 30,
  height = 18,
}: {
  converged: readonly boolean[]
  width?: number
  height?: number
}) {
  const shown = converged.slice(0, 6)
  const middle = height / 2
  const gap = shown.length > 1 ? (height - 4) / (shown.length - 1) : 0
  return (
    <svg
      className="threads"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      aria-hidden="true"
    >
      {shown.map((same, index) => {
        const y = shown.length > 1 ? 2 + index * gap : middle
        return (
          <path
            key={y}
            className={same ? 'thread' : 'thread thread-apart'}
            d={same ? strand(y, middle, width) : `M1 ${y}H${width * 0.62}`}
          />
        )
      })}
    </svg>
  )
}

function strand(from: number, to: number, width: number): string {
  return `M1 ${from}C${width * 0.42} ${from} ${width * 0.38} ${to} ${width * 0.72} ${to}H${width - 1}`
}
