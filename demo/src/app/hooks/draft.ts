import { type RefObject, useEffect, useRef, useState } from 'react'
import { useThrottled } from './throttled.js'

/** While a slider is dragged, its value is written this often at most. */
const WRITE_GAP_MS = 50

/**
 * A native input whose value is somebody else's too. While a hand is on it, it shows the hand's value
 * and passes it on now and then; when the hand lets go (the native `change` event, which React does not
 * tell apart from `input`), the last value is passed on and the input shows the shared one again.
 */
export function useDraft<T>(
  shared: T,
  write: (value: T) => void,
): { shown: T; input(value: T): void; ref: RefObject<HTMLInputElement | null> } {
  const [draft, setDraft] = useState<T>()
  const throttled = useThrottled(write, WRITE_GAP_MS)
  const ref = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const element = ref.current
    const end = () => {
      throttled.flush()
      setDraft(undefined)
    }
    element?.addEventListener('change', end)
    element?.addEventListener('blur', end)
    return () => {
      element?.removeEventListener('change', end)
      element?.removeEventListener('blur', end)
    }
  }, [throttled])
  return {
    shown: draft ?? shared,
    ref,
    input(value) {
      setDraft(value)
      throttled.send(value)
    },
  }
}
