/**
 * Where an agent keeps its replica of one space between runs: an append-only list of Yjs updates, one
 * small number and the epoch. Every implementation passes the suite in `test/store/store-acceptance.ts`.
 *
 * Several stores may be open on the same place at once (tabs of a browser, processes of a machine); each
 * appends, none loses what another appended.
 */
export interface Store {
  readonly kind: StoreKind
  /**
   * All stored updates, oldest first, and how many edits were still waiting for a relay. Compacts first
   * where that pays and there is room. Called once, before anything else.
   * @throws SkeinError `store-corrupt`; nothing was changed
   * @throws SkeinError `store-unavailable`
   */
  load(): Promise<StoredReplica>
  /**
   * Stores an update, together with the number of edits that now wait for a relay. Resolves when the
   * bytes are on disk (the transaction is complete and flushed); concurrent calls may share a flush.
   * The bytes are copied before this returns. Reopens a connection that died. On rejection nothing of
   * this update was stored, and later appends may succeed. An update may be stored twice where a
   * connection died in the middle, which Yjs does not mind.
   * @throws SkeinError `store-full`
   * @throws SkeinError `store-unavailable`, also after `close`, and where the place was deleted
   * meanwhile: then a newly opened store needs the whole document, not later edits alone
   * @throws SkeinError `store-foreign`, `store-corrupt` where reopening finds something else in the place
   */
  append(update: Uint8Array, queued: number): Promise<void>
  /** Stores how many edits wait for a relay, when that changes without a new update. Rejects as `append`. */
  setQueued(queued: number): Promise<void>
  /** Stores which history of the space the replica belongs to. Rejects as `append`. */
  setEpoch(epoch: string): Promise<void>
  /** Stores the prefixes of strong keys that are decided for the space. Rejects as `append`. */
  setStrong(prefixes: readonly string[]): Promise<void>
  /** Flushes what was appended and closes. Never rejects. Idempotent. */
  close(): Promise<void>
}

/** `memory` keeps nothing. */
export type StoreKind = 'indexeddb' | 'lmdb' | 'memory'

export interface StoredReplica {
  readonly updates: readonly Uint8Array[]
  readonly queued: number
  /** What `setEpoch` stored; empty if it never did. */
  readonly epoch: string
  /** What `setStrong` stored; empty if it never did. */
  readonly strong: readonly string[]
}

/** Entries in the list from which a store merges them into one when it opens. */
export const COMPACT_ENTRIES_MIN = 200
