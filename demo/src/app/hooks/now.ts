import { useEffect, useState } from 'react'

/** The time, renewed every `everyMs` at whole multiples, so that a clock turns with the minute. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setTimeout(() => setNow(Date.now()), everyMs - (Date.now() % everyMs))
    return () => clearTimeout(timer)
  }, [everyMs, now])
  return now
}
