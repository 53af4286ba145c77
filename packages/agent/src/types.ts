import type { ClockRange, Json } from '@skein/sync'
import type { Awareness } from 'y-protocols/awareness'
import type * as Y from 'yjs'
import type { SkeinError } from './errors.js'
import type { Store, StoreKind } from './store/store.js'
import type { StrongRegion, Written } from './strong/types.js'

export type { ClockRange, Json }

/**
 * Where an edit is safe: on this device's disk, on one relay's disk, on the disks of a majority of the
 * relays of a cluster.
 */
export type Tier = 'local' | 'relay' | 'quorum'

export interface JoinOptions {
  /**
   * Relays of one cluster as `ws:` or `wss:` URLs, in order of preference. One is active, a second one is kept
   * warm and takes over within a round trip; which, follows from what is measured. Plain y-websocket servers
   * are used one at a time. None at all: the space lives on this device.
   */
  readonly relays?: readonly string[]
  /** What others see of this agent at once, e.g. `{ name: 'Tablet', kind: 'tab' }`. */
  readonly presence?: Readonly<Record<string, Json>>
  /** Use this document instead of a new one. It must be empty, or hold this space's content. */
  readonly doc?: Y.Doc
  /**
   * Where the replica is kept. Default: IndexedDB in browsers (the database `skein/<space>`), in Node
   * an LMDB directory when `dataDir` is given, otherwise memory. A {@link Store} of your own works too.
   */
  readonly store?: Store | 'memory'
  /** Node: the directory for stores; this space gets a directory of its own inside. */
  readonly dataDir?: string
  /** Browsers: the name of the IndexedDB database, e.g. one that y-indexeddb wrote. */
  readonly databaseName?: string
  /** Share with other tabs of this device over BroadcastChannel. Default: true in browsers, false in Node. */
  readonly tabs?: boolean
  /**
   * Prefixes of keys that are linearizable, e.g. `['lock/', 'alarm/']`: at most 32 of 128 bytes. The relays
   * decide them once for the space, the first agent's; where others are decided `status.error` says so.
   * Left out: what is decided is taken over.
   */
  readonly strong?: readonly string[]
  /** Start with the connections down, as after `disconnect()`. */
  readonly offline?: boolean
}

/**
 * A replica of a space, with everything an application needs of it. Reading and writing never wait for
 * a network.
 */
export interface Space {
  readonly name: string
  /**
   * The replica itself. Applications may use their own shared types in it beside the state. Destroying it
   * leaves the space.
   */
  readonly doc: Y.Doc
  /** Who is present. */
  readonly presence: Presence

  /** Keys that all relays of a cluster decide together; see `strong` of the options. */
  readonly strong: StrongRegion

  /** The value of a key, or undefined. Of a strong key the last that was heard, as `strong.peek`. */
  get<T extends Json = Json>(key: string): T | undefined
  /**
   * Sets a key. Applied at once, stored and sent afterwards; `durable` tells when it is safe. A strong key
   * is set as by `strong.set`: then, and only then, there is a promise, which tells that it is decided.
   * @example
   * space.set('light/kitchen', { on: true })
   * await space.set('lock/front', 'locked')
   * @throws SkeinError `bad-key`, `bad-value`, `left`; `strong-key` for a strong one in a transaction. What
   *   `strong.set` throws the promise rejects with
   */
  set(key: string, value: Json): Promise<Written> | undefined
  /**
   * Deletes a key; true if it was there.
   * @throws SkeinError `bad-key`, `left`; `strong-key` for a strong one, which is deleted by `strong.delete`
   */
  delete(key: string): boolean
  /** The keys that start with `prefix` (all by default) and their values, sorted by key; strong ones as `get`. */
  entries(prefix?: string): [key: string, value: Json][]
  /** Several writes as one edit: others see all or none of them, and they are stored together. */
  transact<T>(write: () => T): T
  /**
   * Several writes as one edit, with a receipt that tells how safe just this edit is.
   * Where nothing is written it is the receipt of the edit before.
   * @throws SkeinError `left`; `in-transaction` inside of another transaction, or in an observer
   *   of one, where the edit would be made only afterwards
   */
  commit<T>(write: () => T): Receipt<T>
  /**
   * Calls back with each later change of a key, or of all keys that start with a prefix ending in `/`. Not of
   * strong keys, which are watched by `strong.watch`.
   * Returns the function that ends it.
   */
  observe(keyOrPrefix: string, callback: (change: Change) => void): () => void

  /** What is going on now. A new object whenever something changes. */
  readonly status: Status
  /** Calls back after every change of `status`. Returns the function that ends it. */
  onStatus(callback: (status: Status) => void): () => void
  /** Resolves at the first complete exchange with a relay or server; rejects if the space is left before. */
  readonly whenSynced: Promise<void>
  /**
   * Resolves when every edit made here so far has reached the tier. Rejects with what makes that impossible
   * for now (no store, edit refused). A plain y-websocket server never confirms `relay`, and a relay
   * without a cluster never `quorum`: the promise stays open until one that does is reached;
   * `status.path.confirms` tells.
   * @throws SkeinError `left`; for `local` what the store met; otherwise `update-too-large`,
   *   `update-rejected`; the signal's reason when it aborts
   */
  durable(tier: Tier, options?: { signal?: AbortSignal }): Promise<void>
  /**
   * Names the content of this replica (state vector and delete set). Replicas with equal digests hold
   * the same document.
   */
  digest(): string

  /** Takes every connection down, other tabs included, until `connect()`. Edits go on. */
  disconnect(): void
  /** Brings the connections up; also tries again at once where a refusal had stopped it. */
  connect(): void
  /** Tells others that this agent leaves, flushes the store, and ends everything. Idempotent. */
  leave(): Promise<void>
}

/** How safe one edit is. */
export interface Receipt<T> {
  /** What the writing function returned. */
  readonly result: T
  /** The safest tier that the edit has reached; undefined while it is in memory only. */
  readonly reached: Tier | undefined
  /** As `durable` of the space, but for this edit and those before it: a later one that is refused does not count. */
  durable(tier: Tier, options?: { signal?: AbortSignal }): Promise<void>
}

export interface Change {
  readonly key: string
  /** Undefined where the key was deleted. */
  readonly value: Json | undefined
  readonly oldValue: Json | undefined
  /** Whether this agent made the change, as against another one or the store. */
  readonly local: boolean
}

/** Everything about the safety and the way of this agent's edits. Never a bare "synced" flag. */
export interface Status {
  /**
   * - `offline`: taken down by `disconnect()`, or no relay was given
   * - `connecting`: trying to reach a relay
   * - `syncing`: connected, exchanging what each lacks
   * - `live`: connected and up to date; edits flow
   * - `refused`: a relay said no for good; see `error`
   */
  readonly connection: 'offline' | 'connecting' | 'syncing' | 'live' | 'refused'
  /** The path in use now, if any: the active one of `paths`. */
  readonly path: PathStatus | undefined
  /** All paths: relays and servers in the order of the list, then other tabs, where there are any. */
  readonly paths: readonly PathStatus[]
  /** The last change of the active path. */
  readonly lastSwitch: PathSwitch | undefined
  /**
   * Edits that no relay has confirmed on its disk. With a plain server: edits not yet handed to it.
   */
  readonly queued: number
  /**
   * The structs of these edits, as far as they were made in this run, in Yjs's terms. Deletions have no
   * clocks, so an edit that only deletes is in none.
   */
  readonly queuedRanges: readonly ClockRange[]
  /** Edits not yet on this device's disk. With a memory store they never are, and this stays 0. */
  readonly unsaved: number
  /** The structs of these edits. */
  readonly unsavedRanges: readonly ClockRange[]
  /** Names the history of the space that this replica belongs to; empty while no relay has told. */
  readonly epoch: string
  /** Where the replica is kept. `memory` also when the store failed; `error` tells why. */
  readonly store: StoreKind
  /** Other tabs of this device in the same space. */
  readonly tabs: number
  /** When the next attempt to connect starts, in milliseconds of `Date.now()`, while waiting for one. */
  readonly retryAt: number | undefined
  /** The last thing that went wrong and still matters. */
  readonly error: SkeinError | undefined
}

/** One way to the space: a relay or server of the list, or the other tabs of this device. */
export interface PathStatus {
  /**
   * `relay`: a Skein relay, confirms durability. `server`: a plain y-websocket server. `tab`: other tabs.
   * `unknown`: nobody has answered there yet.
   */
  readonly kind: 'relay' | 'server' | 'tab' | 'unknown'
  /** The URL, or empty for tabs. */
  readonly url: string
  /**
   * `active`: edits go over it. `standby`: kept warm, and takes over when the active one fails or is worse.
   * `none`: not in use.
   */
  readonly role: 'active' | 'standby' | 'none'
  /**
   * - `idle`: not needed, as others are open
   * - `connecting`: an attempt is under way
   * - `waiting`: the last attempt failed; the next one is at `retryAt`
   * - `good`: open, answers in time
   * - `suspect`: has not answered in time once; what it carries goes over another path, too
   * - `silent`: open, but does not answer
   * - `refused`: not tried again until `connect()`; `error` tells why
   */
  readonly state: 'idle' | 'connecting' | 'waiting' | 'good' | 'suspect' | 'silent' | 'refused'
  /** Smoothed round trip in milliseconds; undefined until there is one. */
  readonly roundTripMs: number | undefined
  /** Share of what was sent that was acknowledged in time, newest weighted most: from 0 to 1. */
  readonly reliability: number
  /** Bytes per second that it carried while it was busy; undefined where it never was. */
  readonly goodput: number | undefined
  /** Bytes on their way, or waiting to be sent. */
  readonly backlog: number
  /** The safest tier that is confirmed over this path. */
  readonly confirms: 'nothing' | 'relay' | 'quorum'
  /** When the next attempt starts, in milliseconds of `Date.now()`, while waiting for one. */
  readonly retryAt: number | undefined
  /** What is wrong with it. */
  readonly error: SkeinError | undefined
}

/** A change of the active path. */
export interface PathSwitch {
  /** URLs; undefined where there was none, or is none now. */
  readonly from: string | undefined
  readonly to: string | undefined
  /**
   * `first`: there was none before. `closed`: its connection ended. `silent`: it did not answer any more.
   * `backlog`: more waited for it than it carries. `better`: another one has been better for a while
   */
  readonly reason: 'first' | 'closed' | 'silent' | 'backlog' | 'better'
  /** Milliseconds of `Date.now()`. */
  readonly at: number
}

/** One agent as others see it. */
export interface PresentAgent {
  /** The Yjs client id of its document. */
  readonly clientId: number
  readonly state: Readonly<Record<string, Json>>
  readonly isSelf: boolean
}

/** Who is present, by y-protocols' awareness. */
export interface Presence {
  /** The awareness instance itself, for editors that want one. */
  readonly awareness: Awareness
  /** Changes some fields of what others see of this agent. */
  set(fields: Readonly<Record<string, Json>>): void
  /** Everybody present, this agent included, sorted by client id. */
  agents(): PresentAgent[]
  /** Calls back after every change. Returns the function that ends it. */
  observe(callback: (agents: PresentAgent[]) => void): () => void
}
