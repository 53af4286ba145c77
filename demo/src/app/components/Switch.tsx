interface Props {
  checked: boolean
  onChange(checked: boolean): void
  label: string
  /** Show the label, as against only telling it to screen readers. */
  visibleLabel?: boolean
  testId: string
  className?: string
}

export function Switch({ checked, onChange, label, visibleLabel = false, testId, className = '' }: Props) {
  return (
    <label className={`switch ${className}`}>
      {visibleLabel && <span className="switch-label">{label}</span>}
      <input
        type="checkbox"
        role="switch"
        aria-checked={checked}
        aria-label={visibleLabel ? undefined : label}
        data-testid={testId}
        checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    </label>
  )
}
