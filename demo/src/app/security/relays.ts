import { useEffect, useState } from 'react'
import { useAgent } from '../hooks/agent.js'
import { useSource } from '../hooks/source.js'

/** What this page knows of a relay: whether it answers, and how fast; nothing before the first answer. */
export interface RelayReach {
  readonly url: string
  readonly state: 'answers' | 'silent' | 'not-asked'
  readonly roundTripMs: number | undefined
}

const ASK_EVERY_MS = 2_000
/** On the machine itself an answer comes within a few milliseconds. */
const ANSWER_MS = 1_500

/** Asks every relay of this page now and then; nobody while the page is to be offline. */
export function useRelays(): readonly RelayReach[] {
  const { parameters, offline } = useAgent()
  const off = useSource(offline.isOff)
  const [reach, setReach] = useState<readonly RelayReach[]>(() => parameters.relays.map(notAsked))
  useEffect(() => {
    if (off) {
      setReach(parameters.relays.map(notAsked))
      return
    }
    let timer: ReturnType<typeof setTimeout> | undefined
    let ended = false
    const ask = async () => {
      const answers = await Promise.all(parameters.relays.map(askRelay))
      if (ended) return
      setReach(answers)
      timer = setTimeout(ask, ASK_EVERY_MS)
    }
    void ask()
    return () => {
      ended = true
      clearTimeout(timer)
    }
  }, [off, parameters.relays])
  return reach
}

/** A relay does not let pages of another origin read its answer, but that there is one can be told. */
async function askRelay(url: string): Promise<RelayReach> {
  const startedAt = performance.now()
  try {
    await fetch(new URL('/healthz', url.replace(/^ws/, 'http')), {
      mode: 'no-cors',
      cache: 'no-store',
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    return { url, state: 'answers', roundTripMs: performance.now() - startedAt }
  } catch {
    return { url, state: 'silent', roundTripMs: undefined }
  }
}

function notAsked(url: string): RelayReach {
  return { url, state: 'not-asked', roundTripMs: undefined }
}
