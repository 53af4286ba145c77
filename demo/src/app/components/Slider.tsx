import type { CSSProperties } from 'react'
import { useDraft } from '../hooks/draft.js'

interface Props {
  /** Percent: what is wanted. */
  value: number
  /** Percent: what the device reports, shown as a mark on the track where it differs. */
  reported: number | undefined
  onChange(value: number): void
  label: string
  /** The value in words, for screen readers. */
  valueText(value: number): string
  testId: string
}

/** A percentage that can be dragged, typed at with the arrow keys, and changed elsewhere meanwhile. */
export function Slider({ value, reported, onChange, label, valueText, testId }: Props) {
  const { shown, input, ref } = useDraft(value, onChange)
  const style = { '--value': shown, '--reported': reported ?? shown } as CSSProperties
  return (
    <span className="slider" style={style} data-apart={reported !== undefined && reported !== shown}>
      <input
        ref={ref}
        type="range"
        min={0}
        max={100}
        step={1}
        value={shown}
        aria-label={label}
        aria-valuetext={valueText(shown)}
        data-testid={testId}
        onChange={(event) => input(event.currentTarget.valueAsNumber)}
      />
    </span>
  )
}
