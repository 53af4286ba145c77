import { RelayError } from '../errors.js'
import type { ClusterOptions } from '../options.js'
import { hasSame } from './membership.js'
import type { ClusterMeta, ClusterStorage } from './storage.js'

/** The id of a relay that was given none: it is a cluster of its own. */
export const DEFAULT_MEMBER_ID = 'r1'

/**
 * What this start begins with: the incarnation is raised and on disk.
 * @throws RelayError `cluster-mismatch` where the data belong to another member, or to a cluster of others
 */
export async function beginIncarnation(
  storage: ClusterStorage,
  { id = DEFAULT_MEMBER_ID, peers = {}, join = false }: ClusterOptions,
): Promise<ClusterMeta> {
  const listed = join ? [] : [id, ...Object.keys(peers)].sort()
  const before = storage.meta
  if (before !== undefined) checkSame(before, storage, id, listed)
  // Before anything was agreed to, the operator may still list others.
  const isFree = before?.founding === undefined && before?.cluster === undefined
  const meta: ClusterMeta = {
    id,
    incarnation: (before?.incarnation ?? 0) + 1,
    listed: isFree ? listed : before.listed,
    founding: before?.founding,
    cluster: before?.cluster,
    addresses: before?.addresses ?? {},
  }
  await storage.save(meta)
  return meta
}

function checkSame(
  { id, listed, founding, cluster }: ClusterMeta,
  { configuration }: ClusterStorage,
  askedId: string,
  asked: readonly string[],
): void {
  if (founding === undefined && cluster === undefined) return
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
