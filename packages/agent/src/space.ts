import { documentDigest, documentReplica, Outbox, type Replica } from '@skein/sync'
import * as Y from 'yjs'
import { Connection, type ConnectionEvents, isOfEdits } from './connection.js'
import { EditSafety } from './edit-safety.js'
import { SkeinError } from './errors.js'
import { FROM_RELAY, FROM_RELAY_BY_TAB, FROM_STORE, FROM_TAB } from './origins.js'
import { Persistence } from './persistence.js'
import type { Platform } from './platform.js'
import { AwarenessPresence } from './presence.js'
import { PresenceExchange } from './presence-exchange.js'
import { randomId } from './random-id.js'
import { SharedState } from './shared-state.js'
import { tabPath } from './status.js'
import { StatusBoard } from './status-board.js'
import type { Store, StoredReplica } from './store/store.js'
import { checkPrefixes } from './strong/prefixes.js'
import { AgentStrongRegion } from './strong/region.js'
import type { StrongRegion, Written } from './strong/types.js'
import { TabChannel, type TabEvents } from './tab-channel.js'
import type { Change, JoinOptions, Json, Presence, Receipt, Space, Status, Tier } from './types.js'

/** How long `leave` waits for a live relay to confirm the last edits. */
const LEAVE_CONFIRM_MS_MAX = 2_000

/** The one implementation of `Space`. `joinSpaceOn` has opened its store. */
export class ReplicatedSpace implements Space {
  readonly doc: Y.Doc
  readonly presence: Presence
  readonly whenSynced: Promise<void>

  private readonly region: AgentStrongRegion
  private readonly state: SharedState
  private readonly awareness: AwarenessPresence
  private readonly outbox: Outbox
  private readonly persistence: Persistence
  private readonly connection: Connection
  private readonly tabs: TabChannel | undefined
  private readonly safety: EditSafety
  private readonly presences: PresenceExchange
  private readonly board = new StatusBoard(() => this.computeStatus())
  private readonly agentId = randomId()
  private readonly stopWatching: () => void
  private epoch: string
  /** An update that could not be applied; until the connection is live again. */
  private applyError: SkeinError | undefined
  private wasLive = false
  private cachedDigest: string | undefined
  /** Connections are wanted: not taken down by `disconnect()`. */
  private wanted = false
  private left: Promise<void> | undefined
  private settleSynced: { resolve: () => void; reject: (error: SkeinError) => void }

  constructor(
    platform: Platform,
    readonly name: string,
    options: JoinOptions,
    store: Store,
    stored: StoredReplica,
    private readonly storeError: SkeinError | undefined,
  ) {
    this.region = this.newRegion(options.strong, stored.strong)
    this.doc = options.doc ?? new Y.Doc()
    const given = isEmpty(this.doc) ? undefined : Y.encodeStateAsUpdate(this.doc)
    this.outbox = new Outbox(stored.queued, stored.updates.length > 0)
    this.epoch = stored.epoch
    const replica: Replica = documentReplica(
      this.doc,
      () => this.epoch,
      () => this.digest(),
    )
    this.persistence = new Persistence(
      store,
      stored.queued,
      () => this.safety.queued,
      () => this.changed(),
    )
    this.safety = new EditSafety(this.outbox, this.persistence, storeError, () => this.connection.hurry())
    this.connection = new Connection(
      options.relays ?? [],
      name,
      this.agentId,
      platform,
      replica,
      this.outbox,
      this.relayEvents(),
    )
    this.awareness = new AwarenessPresence(this.doc, options.presence ?? {})
    this.presence = this.awareness
    this.state = new SharedState(this.doc, (key) => this.region.isStrong(key))
    if (options.tabs ?? platform.tabsByDefault) {
      this.tabs = new TabChannel(name, this.agentId, replica, this.tabEvents())
    }
    this.presences = new PresenceExchange(
      this.awareness,
      (update) => this.connection.presence(update),
      this.tabs,
    )
    let settle: typeof this.settleSynced | undefined
    this.whenSynced = new Promise((resolve, reject) => {
      settle = { resolve, reject }
    })
    this.settleSynced = settle!
    // Whoever doesn't wait for it must not be punished by an unhandled rejection on leaving.
    this.whenSynced.catch(() => {})

    Y.transact(
      this.doc,
      () => {
        for (const update of stored.updates) Y.applyUpdate(this.doc, update, FROM_STORE)
      },
      FROM_STORE,
      false,
    )
    this.doc.on('update', this.onUpdate)
    // A destroyed document tells nobody of its edits: without this they would pass for confirmed.
    this.doc.on('destroy', this.onDestroy)
    if (given !== undefined) this.edit(given)
    this.board.begin()
    this.stopWatching = platform.watch(
      () => {
        if (this.wanted) this.openTabs()
        this.connection.wake()
      },
      () => this.closeTabs(),
    )
    if (!options.offline) this.connect()
  }

  get strong(): StrongRegion {
    return this.region
  }

  get<T extends Json = Json>(key: string): T | undefined {
    if (this.region.isStrong(key)) return this.region.peek<T>(key)?.value
    return this.state.get(key) as T | undefined
  }

  set(key: string, value: Json): Promise<Written> | undefined {
    this.mustBeHere()
    if (!this.region.isStrong(key)) {
      this.state.set(key, value)
      return undefined
    }
    if (this.isInTransaction) throw isStrongKey(key, 'It cannot be part of a transaction; set it by itself.')
    return this.region.set(key, value)
  }

  delete(key: string): boolean {
    this.mustBeHere()
    if (this.region.isStrong(key)) throw isStrongKey(key, 'Use space.strong.delete.')
    return this.state.delete(key)
  }

  entries(prefix = ''): [key: string, value: Json][] {
    const entries = [...this.state.entries(prefix), ...this.region.knownEntries(prefix)]
    return entries.sort(([a], [b]) => (a < b ? -1 : 1))
  }

  transact<T>(write: () => T): T {
    this.mustBeHere()
    return this.doc.transact(write)
  }

  observe(keyOrPrefix: string, callback: (change: Change) => void): () => void {
    return this.state.observe(keyOrPrefix, callback)
  }

  get status(): Status {
    return this.board.status
  }

  onStatus(callback: (status: Status) => void): () => void {
    return this.board.onStatus(callback)
  }

  async durable(tier: Tier, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    this.mustBeHere()
    await this.editsAreMade()
    await this.safety.durable(tier, this.outbox.last, signal)
  }

  commit<T>(write: () => T): Receipt<T> {
    this.mustBeHere()
    if (this.isInTransaction) {
      const message =
        'commit() was called inside of a transaction, or by an observer of one; nothing was done. Use it in the ' +
        'place of the transaction, or in a microtask'
      throw new SkeinError('in-transaction', message)
    }
    const result = this.doc.transact(write)
    return this.safety.receipt(result)
  }

  digest(): string {
    this.cachedDigest ??= documentDigest(this.doc)
    return this.cachedDigest
  }

  connect(): void {
    this.mustBeHere()
    this.wanted = true
    this.openTabs()
    this.connection.connect()
    this.changed()
  }

  disconnect(): void {
    this.wanted = false
    this.presences.sayGoodbyeToRelay()
    this.connection.disconnect()
    this.closeTabs()
    this.presences.relayLost()
    this.changed()
  }

  leave(): Promise<void> {
    this.left ??= this.doLeave()
    return this.left
  }

  /** Also while observers are told of one: what they write becomes an edit only after them. */
  private get isInTransaction(): boolean {
    return this.doc._transaction !== null || this.doc._transactionCleanups.length > 0
  }

  /** Resolves when everything written up to now has become an edit with a number. */
  private async editsAreMade(): Promise<void> {
    if (!this.isInTransaction) return
    await new Promise<void>((resolve) => this.doc.once('afterAllTransactions', () => resolve()))
  }

  private openTabs(): void {
    if (this.tabs === undefined || this.tabs.isOpen) return
    this.tabs.open()
    this.presences.tabsOpened()
  }

  private closeTabs(): void {
    this.presences.sayGoodbyeToTabs()
    this.tabs?.close()
  }

  private async doLeave(): Promise<void> {
    if (this.connection.live && this.connection.path?.kind === 'relay' && this.safety.refusal === undefined) {
      const signal = AbortSignal.timeout(LEAVE_CONFIRM_MS_MAX)
      await this.safety.durable('relay', this.outbox.last, signal).catch(() => {})
    }
    await this.region.releaseLeases()
    this.doc.off('update', this.onUpdate)
    this.doc.off('destroy', this.onDestroy)
    this.presences.leave()
    this.stopWatching()
    this.disconnect()
    await this.persistence.close()
    this.awareness.awareness.destroy()
    const error = new SkeinError('left', `the space "${this.name}" was left`)
    this.settleSynced.reject(error)
    this.safety.end(error)
    this.region.end()
    this.board.end()
  }

  private readonly onDestroy = () => void this.leave()

  /** An update of the document, wherever it came from: store it and hand it on. */
  private readonly onUpdate = (update: Uint8Array, origin: unknown) => {
    this.cachedDigest = undefined
    if (origin === FROM_STORE) return
    if (origin === FROM_RELAY || origin === FROM_RELAY_BY_TAB) {
      this.persistence.add(update)
      if (origin === FROM_RELAY) this.tabs?.fromRelay(update)
      return
    }
    this.edit(update, origin === FROM_TAB)
  }

  private edit(update: Uint8Array, fromTab = false): void {
    const edit = this.safety.made(update)
    this.connection.edit(update)
    if (!fromTab) this.tabs?.edit(update)
    // Last, so that the number of waiting edits that is stored with it is right.
    this.persistence.add(update, edit)
    this.changed()
  }

  private newRegion(wanted: readonly string[] | undefined, decided: readonly string[]): AgentStrongRegion {
    const connection = () => this.connection
    return new AgentStrongRegion(
      {
        get isOffline() {
          return connection().state === 'offline' || connection().state === 'refused'
        },
        send: (message) => connection().strong(message),
        silent: () => connection().tryNext(),
        decided: (prefixes) => void this.persistence.setStrong(prefixes),
        changed: () => this.changed(),
        mustBeHere: () => this.mustBeHere(),
      },
      wanted === undefined ? undefined : checkPrefixes(wanted),
      decided,
    )
  }

  private relayEvents(): ConnectionEvents {
    return {
      epoch: (epoch) => {
        this.epoch = epoch
        void this.persistence.setEpoch(epoch)
        this.changed()
      },
      apply: (update) => this.apply(update, FROM_RELAY),
      presence: (update) => this.presences.fromRelay(update),
      announce: () => this.presences.announceToRelay(),
      strong: (message) => this.region.received(message),
      problem: (problem) => {
        if (!isOfEdits(problem)) return
        if (problem.kind === 'rejected') this.region.writeRejected()
        this.safety.refused(problem)
      },
      changed: () => this.onConnectionChanged(),
      lost: () => this.presences.relayLost(),
    }
  }

  private tabEvents(): TabEvents {
    return {
      apply: ({ update, relayed, forUnserved }) => {
        const { last } = this.outbox
        this.apply(update, relayed ? FROM_RELAY_BY_TAB : FROM_TAB)
        const isKnown = this.outbox.last === last
        if (isKnown && !relayed && forUnserved) this.edit(update, true)
      },
      presence: (update) => this.presences.fromTab(update),
      announce: () => this.presences.announceToTabs(),
      answered: () => this.presences.announceToTabs(),
      confirmed: (digest) => {
        if (digest !== this.digest()) return
        this.outbox.confirm(this.outbox.last)
        this.onConfirmed()
      },
      changed: () => this.changed(),
    }
  }

  private apply(update: Uint8Array, origin: symbol): void {
    try {
      Y.applyUpdate(this.doc, update, origin)
    } catch (error) {
      // Well-formed, yet Yjs cannot integrate it: a hostile or broken peer.
      this.applyError = new SkeinError('refused', `an update could not be applied: ${String(error)}`, {
        cause: error,
      })
      unstick(this.doc)
      this.changed()
    }
  }

  private onConnectionChanged(): void {
    const { path, live } = this.connection
    if (path !== undefined) this.safety.plainServer = path.kind === 'server'
    this.tabs?.setServed(live)
    this.region.connectionChanged(this.connection.strongSession)
    if (live && !this.wasLive) this.applyError = undefined
    this.wasLive = live
    if (live) this.settleSynced.resolve()
    this.onConfirmed()
    this.changed()
  }

  private onConfirmed(): void {
    if (!this.safety.takeConfirmed()) return
    this.persistence.queuedChanged()
    if (this.outbox.unconfirmed === 0) this.tellConfirmed()
    this.changed()
  }

  /** Tells tabs without a relay that all is confirmed, if it is. */
  private tellConfirmed(): void {
    if (this.tabs === undefined || this.tabs.count === 0) return
    const confirms = this.connection.live && this.connection.path?.kind === 'relay'
    if (confirms && this.outbox.isConfirmed(this.outbox.last)) this.tabs.confirmed(this.digest())
  }

  /** Something that `status` shows, or that somebody waits for, may be different. */
  private changed(): void {
    this.safety.check()
    if (this.left === undefined) this.board.changed()
  }

  private computeStatus(): Status {
    const tabs = this.tabs?.count ?? 0
    const servedByTab = !this.connection.live && this.tabs?.servedByAnother === true
    const paths = [...this.connection.paths, ...(tabs > 0 ? [tabPath(servedByTab)] : [])]
    return {
      connection: this.connection.state,
      path: servedByTab ? paths.at(-1) : paths.find(({ role }) => role === 'active'),
      paths,
      lastSwitch: this.connection.lastSwitch,
      queued: this.safety.queued,
      queuedRanges: this.safety.queuedRanges,
      unsaved: this.persistence.unsaved,
      unsavedRanges: this.persistence.unsavedRanges,
      epoch: this.epoch,
      store: this.persistence.store.kind,
      tabs,
      retryAt: this.connection.retryAt,
      error:
        this.connection.error ??
        this.applyError ??
        this.region.mismatch ??
        this.safety.refusal ??
        this.persistence.error ??
        this.storeError,
    }
  }

  private mustBeHere(): void {
    if (this.left !== undefined) {
      throw new SkeinError('left', `the space "${this.name}" was left; nothing was done`)
    }
  }
}

/**
 * After an exception in the middle of its cleaning up Yjs takes every later transaction for a part of that
 * one, and tells nobody of edits any more: they would neither be stored nor sent, and not be missed.
 */
function unstick(doc: Y.Doc): void {
  doc._transaction = null
  doc._transactionCleanups = []
}

function isStrongKey(key: string, advice: string): SkeinError {
  return new SkeinError(
    'strong-key',
    `"${key}" is a strong key, no part of the document; nothing was done. ${advice}`,
  )
}

function isEmpty(doc: Y.Doc): boolean {
  return doc.store.clients.size === 0
}
