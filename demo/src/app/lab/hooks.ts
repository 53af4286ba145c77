import { useEffect } from 'react'
import type { LabState } from '../../model/lab.js'
import { useAgent } from '../hooks/agent.js'
import { useSource } from '../hooks/source.js'

/** What other tabs and terminals do to the relays is seen this late. */
const REFRESH_EVERY_MS = 1_000

export function useLab(): LabState | undefined {
  return useSource(useAgent().lab.state)
}

/** Looks again and again, where there is a lab, as long as the calling component is shown. */
export function useLiveLab(): LabState | undefined {
  const { lab } = useAgent()
  const state = useLab()
  const isOffered = state !== undefined
  useEffect(() => {
    if (!isOffered) return
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void lab.refresh()
    }, REFRESH_EVERY_MS)
    return () => clearInterval(timer)
  }, [lab, isOffered])
  return state
}
