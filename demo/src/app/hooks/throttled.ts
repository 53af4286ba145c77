import { useEffect, useMemo, useRef } from 'react'

/** A function that is called at most every `gapMs`, at once first, and always with the last value. */
export function useThrottled<T>(
  call: (value: T) => void,
  gapMs: number,
): { send(value: T): void; flush(): void } {
  const latest = useRef(call)
  useEffect(() => {
    latest.current = call
  })
  return useMemo(() => {
    let waiting: { value: T } | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    const pass = () => {
      timer = undefined
      if (!waiting) return
      const { value } = waiting
      waiting = undefined
      latest.current(value)
      timer = setTimeout(pass, gapMs)
    }
    return {
      send(value) {
        waiting = { value }
        if (timer === undefined) pass()
      },
      flush() {
        clearTimeout(timer)
        pass()
      },
    }
  }, [gapMs])
}
