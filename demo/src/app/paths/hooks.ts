import type { Space } from '@skein/agent'
import { useMemo } from 'react'
import { type PathHistory, SAMPLE_EVERY_MS, withSample } from '../../model/path-history.js'
import { PathNames } from '../../model/path-names.js'
import { useAgent } from '../hooks/agent.js'
import { createSource, type Source, sourceOf, useSource } from '../hooks/source.js'
import { useLab } from '../lab/hooks.js'

export function usePathNames(): PathNames {
  const { parameters } = useAgent()
  const lab = useLab()
  return useMemo(() => new PathNames(parameters.relays, lab), [parameters.relays, lab])
}

/** The round trips of the last minute, as far as they were watched. */
export function usePathHistory(): PathHistory {
  return useSource(pathHistoryOf(useAgent().space))
}

/** Begins to watch at the first call. */
export function pathHistoryOf(space: Space): Source<PathHistory> {
  return sourceOf(space, 'path history', () => {
    let history = withSample(new Map(), space.status.paths, Date.now())
    return createSource(
      () => history,
      (changed) => {
        setInterval(() => {
          history = withSample(history, space.status.paths, Date.now())
          changed()
        }, SAMPLE_EVERY_MS)
      },
    )
  })
}
