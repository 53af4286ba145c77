import type { AcceptorStore, AcceptorWrite, Configuration, Member } from '@skein/paxos'
import type { Addresses } from './hello.js'

/** Where a member keeps what it promised, and who it is. */
export interface ClusterStorage {
  readonly store: AcceptorStore
  /** As of the last start; undefined at the first. */
  readonly meta: ClusterMeta | undefined
  readonly configuration: Configuration | undefined
  /** Resolves when it is on disk; with a configuration both are there, or neither. */
  save(meta: ClusterMeta, configuration?: Configuration): Promise<void>
  /**
   * Puts on disk, with one flush, what `take` hands out at the end of this turn; resolves when it is there.
   * One at a time. A rejection leaves open whether it is, and what its disk is worth.
   */
  write(take: () => readonly AcceptorWrite[]): Promise<void>
  /** How often what was written ahead was moved to where it stays. */
  checkpoints(): number
}

export interface ClusterMeta {
  readonly id: string
  /** How often this store was started; never used twice. */
  readonly incarnation: number
  /** The members that its operator listed when the cluster was founded. */
  readonly listed: readonly string[]
  /** The members that this one agreed to found a cluster with. It never agrees to others. */
  readonly founding: readonly Member[] | undefined
  /** Names the cluster; undefined before it belongs to one. */
  readonly cluster: string | undefined
  readonly addresses: Addresses
}
