import type { Member } from '@skein/paxos'
import type { Cluster } from './cluster.js'

/** A relay's view of its cluster. */
export interface ClusterStatus {
  readonly memberId: string
  readonly store: string
  /** Whether it belongs to a cluster, and so takes part in deciding. */
  readonly formed: boolean
  /** True where its disk, or itself, failed: it takes no part any more until it is started again. */
  readonly failed: boolean
  /** Names the cluster; undefined while there is none. */
  readonly cluster: string | undefined
  /** Of the configuration; 0 while there is none. */
  readonly epoch: number
  readonly members: readonly Member[]
  /** During a change of members: those who come after. */
  readonly next: readonly Member[] | undefined
  /** Members that a link is open to. */
  readonly connected: readonly string[]
  /** Of these, the ones that were brought all that this relay has of its spaces; what is written now goes to all. */
  readonly upToDate: readonly string[]
  /** Members that the forming of the cluster waits for. */
  readonly missing: readonly string[]
  readonly addresses: { readonly [id: string]: string }
  /** How far a change of members is that this relay drives. */
  readonly change: { readonly copied: number; readonly found: number } | undefined
}

export function statusOf(
  { store, membership, host, links, hasFailed }: Cluster,
  isUpToDate: (member: string) => boolean,
): ClusterStatus {
  const { configuration } = host
  return {
    memberId: membership.id,
    store,
    formed: configuration !== undefined,
    failed: hasFailed,
    cluster: membership.cluster,
    epoch: configuration?.epoch ?? 0,
    members: configuration?.members ?? [],
    next: configuration?.next,
    connected: links.connectedIds,
    upToDate: links.connectedIds.filter(isUpToDate),
    missing: membership.missing,
    addresses: membership.addresses,
    change: host.changeProgress,
  }
}
