import { useMemo } from 'react'
import type { PathHistory } from '../../model/path-history.js'
import { PathNames } from '../../model/path-names.js'
import { useAgent } from '../hooks/agent.js'
import { useSource } from '../hooks/source.js'
import { useLab } from '../lab/hooks.js'
import { pathHistoryOf } from './history.js'

export function usePathNames(): PathNames {
  const { parameters } = useAgent()
  const lab = useLab()
  return useMemo(() => new PathNames(parameters.relays, lab), [parameters.relays, lab])
}

/** The round trips of the last minute, as far as anybody watched. */
export function usePathHistory(): PathHistory {
  return useSource(pathHistoryOf(useAgent().space))
}
