import type { CSSProperties } from 'react'
import { LAMP_COLORS } from '../../model/fields.js'
import { useDraft } from '../hooks/draft.js'

interface Props {
  /** `#rrggbb`. */
  value: string
  onChange(value: string): void
  /** What is coloured. */
  label: string
  testId: string
}

/** Any colour through the browser's picker and, where there is room, the usual ones at one press. */
export function ColorPicker({ value, onChange, label, testId }: Props) {
  const { shown, input, ref } = useDraft(value, onChange)
  return (
    <div className="colors">
      <fieldset className="presets">
        <legend className="visually-hidden">{label} presets</legend>
        {LAMP_COLORS.map(({ hex, name }) => (
          <button
            key={hex}
            type="button"
            className="swatch"
            style={{ '--swatch': hex } as CSSProperties}
            aria-label={name}
            aria-pressed={shown === hex}
            title={name}
            onClick={() => onChange(hex)}
          />
        ))}
      </fieldset>
      <input
        ref={ref}
        type="color"
        className="swatch swatch-own"
        value={shown}
        aria-label={label}
        title={label}
        data-testid={testId}
        onChange={(event) => input(event.currentTarget.value)}
      />
    </div>
  )
}
