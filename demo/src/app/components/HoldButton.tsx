import { type KeyboardEvent, type MouseEvent, useEffect, useRef, useState } from 'react'
import { Icon, type IconName } from './Icon.js'

/** Long enough that no sleeve or cat does it, short enough for full hands. */
export const HOLD_MS = 1_200
/** Assistive technology presses without holding; it presses twice within this time instead. */
const CONFIRM_MS = 6_000

interface Props {
  /** What holding does, e.g. `Unlock`. */
  verb: string
  /** What it is done to, e.g. `Front door`. */
  what: string
  icon: IconName
  busy: boolean
  onHeld(): void
  testId: string
}

/**
 * A button that acts only when it was held, by finger, mouse, Space or Enter; letting go early does
 * nothing. The ring fills up meanwhile.
 */
export function HoldButton({ verb, what, icon, busy, onHeld, testId }: Props) {
  const [holding, setHolding] = useState(false)
  const [confirming, setConfirming] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  useEffect(() => {
    if (!confirming) return
    const end = setTimeout(() => setConfirming(false), CONFIRM_MS)
    return () => clearTimeout(end)
  }, [confirming])

  const act = () => {
    setHolding(false)
    setConfirming(false)
    onHeld()
  }
  const begin = () => {
    if (busy || holding) return
    clearTimeout(timer.current)
    setHolding(true)
    timer.current = setTimeout(act, HOLD_MS)
  }
  const cancel = () => {
    clearTimeout(timer.current)
    setHolding(false)
  }
  const key = (event: KeyboardEvent) => {
    if (event.key !== ' ' && event.key !== 'Enter') return
    // Without this the browser would click as well.
    event.preventDefault()
    if (event.type === 'keyup') cancel()
    else if (!event.repeat) begin()
  }
  /** No finger and no key was down: a screen reader, or a voice, has pressed it. */
  const pressed = (event: MouseEvent) => {
    if (event.detail !== 0 || busy) return
    if (confirming) act()
    else setConfirming(true)
  }
  return (
    <>
      <button
        type="button"
        className="hold"
        data-holding={holding}
        data-testid={testId}
        aria-label={
          confirming ? `${verb} ${what}: press again to confirm` : `${verb} ${what}, press and hold`
        }
        aria-disabled={busy}
        onPointerDown={(event) => event.button === 0 && begin()}
        onPointerUp={cancel}
        onPointerLeave={cancel}
        onPointerCancel={cancel}
        onContextMenu={(event) => event.preventDefault()}
        onKeyDown={key}
        onKeyUp={key}
        onBlur={cancel}
        onClick={pressed}
      >
        <span className="hold-ring">
          <svg viewBox="0 0 48 48" aria-hidden="true">
            <circle className="hold-track" cx="24" cy="24" r="21.5" />
            <circle className="hold-fill" cx="24" cy="24" r="21.5" pathLength="100" />
          </svg>
          <Icon name={icon} size={22} />
        </span>
        <span className="hold-words" aria-hidden="true">
          <b>{verb}</b>
          <small>{holding ? 'keep holding' : confirming ? 'press again' : 'press and hold'}</small>
        </span>
      </button>
      <span className="visually-hidden" role="status">
        {confirming ? `Press again to ${verb.toLowerCase()}` : ''}
      </span>
    </>
  )
}
