import { isQuorum, membersOf } from '@skein/paxos'
import type { Cluster } from '../cluster/cluster.js'
import type { MeshCluster } from './mesh.js'
import type { MeshClaim } from './mesh-url.js'

/** A relay's cluster as its mesh sees it. */
export function meshClusterOf(cluster: () => Cluster): MeshCluster {
  const configuration = () => cluster().host.configuration
  return {
    get self() {
      return cluster().membership.id
    },
    get store() {
      return cluster().store
    },
    get cluster() {
      const { membership } = cluster()
      const formed = configuration()
      // One that was replaced has no part in what the others share.
      return formed !== undefined && membersOf(formed).includes(membership.id)
        ? membership.cluster
        : undefined
    },
    get isAwaited() {
      return cluster().membership.cluster === undefined && !cluster().isOver
    },
    get others() {
      const formed = configuration()
      if (formed === undefined) return NOBODY
      const members = new Set(membersOf(formed))
      return new Map([...cluster().membership.targets].filter(([id]) => members.has(id)))
    },
    isConnected: (member) => cluster().links.connectedIds.includes(member),
    isQuorum(ids) {
      const formed = configuration()
      return formed !== undefined && isQuorum(formed, ids)
    },
    get configuration() {
      const formed = configuration()
      if (formed === undefined) return undefined
      return [formed.members, formed.next ?? []]
        .map((list) => list.map(({ store }) => store).join())
        .join(' to ')
    },
  }
}

/** Why a relay may not link its rooms with this one's; undefined where it may. */
export function refusalOf(claim: MeshClaim, cluster: Cluster): string | undefined {
  const { configuration } = cluster.host
  if (configuration === undefined) return 'this relay belongs to no cluster yet'
  if (claim.cluster !== cluster.membership.cluster) return 'this relay belongs to another cluster'
  const members = [...configuration.members, ...(configuration.next ?? [])]
  const isMember = members.some(({ id, store }) => id === claim.member && store === claim.store)
  if (!isMember || claim.member === cluster.membership.id)
    return `${claim.member.slice(0, 64)} is no member here`
  return undefined
}

const NOBODY: ReadonlyMap<string, string> = new Map()
