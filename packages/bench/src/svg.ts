interface Row<Series extends string> {
  readonly name: string
  /** What is not a positive number has no bar. */
  readonly ratios: ReadonlyMap<Series, number | undefined>
}

const COLOURS = ['#d08c4a', '#5b6fb5', '#1f7a66', '#9aa5a0']
const WIDTH = 980
const LABEL_WIDTH = 430
const BAR_HEIGHT = 14

/** Horizontal bars of ratios on a logarithmic scale, with a line at 1. */
export function barChart<Series extends string>(
  title: string,
  rows: readonly Row<Series>[],
  series: readonly Series[],
): string {
  const all = rows.flatMap(({ ratios }) => [...ratios.values()]).filter(isDrawable)
  const low = Math.min(0.5, ...all) * 0.9
  const high = Math.max(2, ...all) * 1.1
  const span = Math.log(high / low)
  const x = (ratio: number) => LABEL_WIDTH + (Math.log(ratio / low) / span) * (WIDTH - LABEL_WIDTH - 60)
  const rowHeight = series.length * BAR_HEIGHT + 18
  const height = 70 + rows.length * rowHeight
  const parts: string[] = []
  rows.forEach(({ name, ratios }, row) => {
    const top = 60 + row * rowHeight
    parts.push(text(LABEL_WIDTH - 12, top + rowHeight / 2 - 4, name, 'end'))
    series.forEach((key, i) => {
      const ratio = ratios.get(key)
      if (!isDrawable(ratio)) return
      const [from, to] = [Math.min(x(1), x(ratio)), Math.max(x(1), x(ratio))]
      const y = top + i * BAR_HEIGHT
      parts.push(
        `<rect x="${from.toFixed(1)}" y="${y}" width="${Math.max(1, to - from).toFixed(1)}" height="${BAR_HEIGHT - 3}" fill="${COLOURS[i]}"/>`,
        text(to + 6, y + BAR_HEIGHT - 5, ratio.toFixed(2), 'start'),
      )
    })
  })
  const legend = series.map((name, i) => {
    const at = LABEL_WIDTH + i * 140
    return `<rect x="${at}" y="34" width="12" height="12" fill="${COLOURS[i]}"/>${text(at + 18, 44, name, 'start')}`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="16" y="22" font-size="15" font-weight="600">${escaped(title)}</text>
${legend.join('\n')}
<line x1="${x(1)}" x2="${x(1)}" y1="54" y2="${height - 10}" stroke="#222" stroke-dasharray="3 3"/>
${parts.join('\n')}
</svg>
`
}

function isDrawable(ratio: number | undefined): ratio is number {
  return ratio !== undefined && Number.isFinite(ratio) && ratio > 0
}

function text(x: number, y: number, content: string, anchor: 'start' | 'end'): string {
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}">${escaped(content)}</text>`
}

function escaped(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;')
}
