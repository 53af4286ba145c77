import { Icon, type IconName } from './Icon.js'

interface Props {
  verb: string
  /** What makes it different from its opposite, in few words. */
  why: string
  icon: IconName
  onPress(): void
  testId: string
}

/** The way to the safe side: as large as a hold button, and done at one tap. */
export function PlainAction({ verb, why, icon, onPress, testId }: Props) {
  return (
    <button type="button" className="hold hold-plain" data-testid={testId} onClick={onPress}>
      <span className="hold-ring">
        <Icon name={icon} size={22} />
      </span>
      <span className="hold-words">
        <b>{verb}</b>
        <small>{why}</small>
      </span>
    </button>
  )
}
