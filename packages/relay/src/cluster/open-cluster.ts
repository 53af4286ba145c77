import { randomInt } from 'node:crypto'
import { RelayError } from '../errors.js'
import type { ClusterOptions } from '../options.js'
import { hasSame } from './membership.js'
import type { ClusterMeta, ClusterStorage } from './storage.js'

/** The id of a relay that was given none: it is a cluster of its own. */
export const DEFAULT_MEMBER_ID = 'r1'

/**
 * A store begins somewhere below this, not at 1: should an id that was replaced be used again after all, its new
 * store does not propose under the ballots of the old one.
 */
const FIRST_INCARNATION_MAX = 2 ** 40

/**
 * What this start begins with: the incarnation is raised and on disk.
 * @throws RelayError `cluster-mismatch` where the data belong to another member, or to a cluster of others
 */
export async function beginIncarnation(
  storage: ClusterStorage,
  options: ClusterOptions,
): Promise<ClusterMeta> {
  const before = storage.meta
  const { id = before?.id ?? DEFAULT_MEMBER_ID, peers = {}, join = false } = options
  const listed = join ? [] : [id, ...Object.keys(peers)].sort()
  const isFree = before === undefined || isUncommitted(before, storage)
  if (!isFree) checkSame(before, storage, id, listed)
  const incarnation = before === undefined ? randomInt(1, FIRST_INCARNATION_MAX) : before.incarnation + 1
  const addresses = before?.addresses ?? {}
  const meta: ClusterMeta = isFree
    ? { id, incarnation, listed, founding: undefined, cluster: undefined, addresses }
    : { ...before, incarnation }
  await storage.save(meta)
  return meta
}

/**
 * Whether the operator may still name it, and list others: it agreed to nothing, or was alone and nobody asked
 * it to decide anything, so that nothing is lost.
 */
function isUncommitted(
  { founding, cluster, id }: ClusterMeta,
  { configuration, store }: ClusterStorage,
): boolean {
  if (founding === undefined && cluster === undefined) return true
  const founders = founding ?? []
  const wasAlone = founders.length === 1 && founders[0]!.id === id
  return (
    wasAlone && (configuration === undefined || configuration.epoch === 1) && store.keys('', 1).length === 0
  )
}

function checkSame(
  { id, listed, founding }: ClusterMeta,
  { configuration }: ClusterStorage,
  askedId: string,
  asked: readonly string[],
): void {
  if (id !== askedId) {
    throw mismatch(
      `the data directory is that of member ${id}, not of ${askedId}. Start it with --id ${id}, or use another ` +
        'directory: what a member promised is in its own',
    )
  }
  const members = (configuration?.members ?? founding ?? []).map((member) => member.id)
  const isAlone = asked.length === 1 && asked[0] === id
  // After members were replaced both the first list and today's are right; and what is stored need not be listed.
  if (asked.length === 0 || isAlone || hasSame(asked, listed) || hasSame(asked, members)) return
  throw mismatch(
    `the data directory belongs to a cluster of ${members.join(', ')}, not of ${asked.join(', ')}. List those, or ` +
      'change the members of the running cluster with replace',
  )
}

function mismatch(message: string): RelayError {
  return new RelayError('cluster-mismatch', `${message}. Nothing was changed`)
}
