import type { ChangeOutcome, Member } from '@skein/paxos'
import type { Cluster } from './cluster.js'
import type { Hello } from './hello.js'

export interface ReplaceRequest {
  /** A member's id; undefined only adds. */
  readonly remove?: string
  /** A relay that was started with `--join`; undefined only removes. */
  readonly add?: { readonly id: string; readonly url: string }
}

export type ReplaceErrorCode =
  /** The request does not fit the cluster. Nothing was changed. */
  | 'bad-change'
  /** Another change was decided first, or is under way. Nothing of this one was applied. */
  | 'other-change'
  /** The new member did not answer, or is not one that waits. Nothing was changed. */
  | 'no-such-member'
  /** There is no cluster yet. Nothing was changed. */
  | 'not-formed'
  /** It goes on, or has stopped half way; asking again finishes it. */
  | 'unfinished'

export class ReplaceError extends Error {
  constructor(
    readonly code: ReplaceErrorCode,
    message: string,
  ) {
    super(message)
  }
}

/** How long the new member may take to answer. */
const ANSWER_WITHIN_MS = 10_000
/** How long a change may take, keys copied included. */
const CHANGE_WITHIN_MS = 120_000
const LOOK_EVERY_MS = 20

/** @throws ReplaceError */
export async function replaceMember(cluster: Cluster, request: ReplaceRequest): Promise<void> {
  const { add } = request
  if (cluster.host.configuration === undefined || cluster.isOver) {
    throw new ReplaceError('not-formed', 'this relay takes part in no cluster; ask another member')
  }
  if (add !== undefined) cluster.membership.invite(add.id, add.url)
  try {
    const store = add === undefined ? undefined : await storeOf(cluster, add)
    const members = membersAfter(cluster.host.configuration.members, request, store)
    await change(cluster, members)
  } finally {
    if (add !== undefined) cluster.membership.uninvite(add.id)
  }
}

/** The store that the new member has: from the configuration where it is in already, else it is asked. */
async function storeOf(cluster: Cluster, { id, url }: { id: string; url: string }): Promise<string> {
  const { members = [], next = [] } = cluster.host.configuration ?? {}
  const known = [...members, ...next].find((member) => member.id === id)
  if (known !== undefined) return known.store
  if (id === cluster.membership.id) throw new ReplaceError('bad-change', `${id} is this relay itself`)
  cluster.links.invite(id, url)
  const hello = await waitFor(() => cluster.links.peer(id), cluster.isOver ? 0 : ANSWER_WITHIN_MS)
  if (hello === undefined) {
    const what = `no relay with the id ${id} answered at ${url} within ${ANSWER_WITHIN_MS / 1000} s`
    const hint = `Start it there on an empty directory with --id ${id} --join, then ask again`
    throw new ReplaceError('no-such-member', `${what}. Nothing was changed. ${hint}`)
  }
  checkIsFree(cluster, hello)
  return hello.store
}

function checkIsFree({ membership }: Cluster, { id, cluster, listed, founding }: Hello): void {
  const waits = cluster === undefined && founding === undefined && listed.length === 0
  if (waits || cluster === membership.cluster) return
  const hint = `start it on an empty directory with --id ${id} --join`
  throw new ReplaceError('no-such-member', `${id} does not wait to be taken in. Nothing was changed; ${hint}`)
}

/** @param members before, also where a change to these is under way */
function membersAfter(
  members: readonly Member[],
  request: ReplaceRequest,
  store: string | undefined,
): Member[] {
  const { remove, add } = request
  const isIn = (id: string) => members.some((member) => member.id === id)
  // Asked for again after it was done, the one is gone and the other is there.
  const isDone = add !== undefined && isIn(add.id)
  if (remove !== undefined && !isIn(remove) && !isDone) {
    throw new ReplaceError('bad-change', `${remove} is not a member. Nothing was changed`)
  }
  if (add !== undefined && remove !== undefined && isIn(add.id) && isIn(remove)) {
    const hint = add.id === remove ? 'Give the new one a new id' : `Leave out add to remove ${remove} only`
    throw new ReplaceError('bad-change', `${add.id} is a member already. Nothing was changed. ${hint}`)
  }
  const rest = members.filter(({ id }) => id !== remove && id !== add?.id)
  const after = add === undefined ? rest : [...rest, { id: add.id, store: store! }]
  if (after.length === 0) throw new ReplaceError('bad-change', 'the last member cannot be removed')
  return after
}

async function change(cluster: Cluster, members: readonly Member[]): Promise<void> {
  let outcome: ChangeOutcome | undefined
  try {
    cluster.host.changeMembers(members, (ended) => {
      outcome = ended
    })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ReplaceError('bad-change', `${error.message}. Nothing was changed`)
  }
  await waitFor(() => (cluster.isOver ? true : outcome), CHANGE_WITHIN_MS)
  if (outcome?.kind === 'changed') return
  if (outcome?.kind === 'other-change') {
    const { next, members: now } = outcome.configuration
    const ids = (next ?? now).map(({ id }) => id).join(', ')
    throw new ReplaceError(
      'other-change',
      `another change came first, to ${ids}. Nothing of this one was applied`,
    )
  }
  throw new ReplaceError(
    'unfinished',
    'the change is not finished: no majority of the old and of the new members answers. Ask again when they do, here ' +
      'or at another member: it goes on where it is',
  )
}

async function waitFor<T>(look: () => T | undefined, withinMs: number): Promise<T | undefined> {
  const endMs = performance.now() + withinMs
  for (;;) {
    const found = look()
    if (found !== undefined || performance.now() >= endMs) return found
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}
