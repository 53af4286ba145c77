import { guardedBy } from '../../model/guarded.js'
import { parseEntityId } from '../../model/keys.js'
import { isUnsettled, type Round } from './round.js'

type Stored = Omit<Round, 'guarded'> & { readonly entity: string }

/** Keeps the rounds whose outcome is unknown over a reload of this tab, so that none is lost sight of. */
export function keepUnsettled(space: string, rounds: readonly Round[]): void {
  const stored = rounds
    .filter(isUnsettled)
    .map(({ guarded, ...rest }): Stored => ({ ...rest, findingOut: false, entity: guarded.entity }))
  try {
    if (stored.length > 0) sessionStorage.setItem(keyOf(space), JSON.stringify(stored))
    else sessionStorage.removeItem(keyOf(space))
  } catch {
    // Without storage they last as long as the page.
  }
}

/** The rounds that {@link keepUnsettled} kept, the latest first. */
export function keptUnsettled(space: string): Round[] {
  try {
    const stored = JSON.parse(sessionStorage.getItem(keyOf(space)) ?? '[]') as Stored[]
    return stored.flatMap(({ entity, ...rest }) => {
      const id = parseEntityId(entity)
      const guarded = id && guardedBy(id)
      return guarded ? [{ ...rest, guarded }] : []
    })
  } catch {
    return []
  }
}

const keyOf = (space: string): string => `skein-demo-unsettled ${space}`
