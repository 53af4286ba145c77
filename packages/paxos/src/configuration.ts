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
