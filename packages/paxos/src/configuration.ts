import { PAXOS_LIMITS } from './limits.js'

/** Who decides. While members change, majorities of both the old and the new ones have to agree. */
export interface Configuration {
  /** Rises with every change. Requests of other epochs are refused. */
  readonly epoch: number
  readonly members: readonly Member[]
  /** Present during a change: those who decide alone once it is finished. */
  readonly next?: readonly Member[]
}

export interface Member {
  readonly id: string
  /**
   * The store that the member's promises are in. A member that comes with another one has lost what it
   * promised, and may come back only under a new id.
   */
  readonly store: string
}

/**
 * Asserts that a change to these members is sound. A member that lost its store may not stay under its id:
 * while the change lasts it would vouch for what the lost store had promised.
 * @throws RangeError
 */
export function assertCanBecome({ members, next = [] }: Configuration, wanted: readonly Member[]): void {
  if (wanted.length === 0 || wanted.length > PAXOS_LIMITS.membersMax) {
    throw new RangeError(`a cluster has 1 to ${PAXOS_LIMITS.membersMax} members, not ${wanted.length}`)
  }
  const stores = new Map([...members, ...next].map(({ id, store }) => [id, store]))
  const ids = new Set<string>()
  for (const { id, store } of wanted) {
    if (ids.has(id)) throw new RangeError(`${id} is named twice`)
    ids.add(id)
    if ((stores.get(id) ?? store) !== store) {
      throw new RangeError(
        `${id} is a member with another store; give the new one a new id, or take ${id} out first`,
      )
    }
  }
}

/** All that requests go to, each once. */
export function membersOf({ members, next = [] }: Configuration): readonly string[] {
  return [...new Set([...members, ...next].map(({ id }) => id))]
}

/** Whether these members decide: a majority of the members, and of the next ones while there are any. */
export function isQuorum({ members, next }: Configuration, ids: ReadonlySet<string>): boolean {
  return isMajority(members, ids) && (next === undefined || isMajority(next, ids))
}

function isMajority(members: readonly Member[], ids: ReadonlySet<string>): boolean {
  return members.filter(({ id }) => ids.has(id)).length * 2 > members.length
}
