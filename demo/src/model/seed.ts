import type { Space } from '@skein/agent'
import { homePlan } from './plan.js'

/**
 * Writes the home's plan into the shared state and returns how many keys were missing. A key that is
 * there is left alone, whoever wrote it, so a second start changes nothing; and as the plan is the same
 * everywhere, agents that seed at the same moment end with the same home.
 */
export function seedHome(space: Pick<Space, 'get' | 'set' | 'transact'>): number {
  return space.transact(() => {
    const missing = homePlan().filter(([key]) => space.get(key) === undefined)
    for (const [key, value] of missing) space.set(key, value)
    return missing.length
  })
}
