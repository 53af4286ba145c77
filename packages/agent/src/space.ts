import { readAwarenessEntries } from '@skein/protocol'
import {
  documentDigest,
  documentReplica,
  EditRanges,
  Outbox,
  type Replica,
  type SessionProblem,
} from '@skein/sync'
import { applyAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { Connection, type ConnectionEvents, isOfEdits } from './connection.js'
import { DurabilityWaiters } from './durability.js'
import { SkeinError } from './errors.js'
import { Persistence } from './persistence.js'
import type { Platform } from './platform.js'
import { AwarenessPresence } from './presence.js'
import { problemError } from './problems.js'
import { type ReceiptSource, receiptFor } from './receipt.js'
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

// Origins of transactions: where an update came from decides where it goes next.
const FROM_STORE = Symbol('store')
const FROM_RELAY = Symbol('relay')
const FROM_TAB = Symbol('tab')
/** By way of another tab, from its relay. */
const FROM_RELAY_BY_TAB = Symbol('relay by tab')

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
  private readonly waiters = new DurabilityWaiters()
  private readonly board = new StatusBoard(() => this.computeStatus())
  private readonly agentId = globalThis.crypto.randomUUID()
  private readonly stopWatching: () => void
  /** Clients whose presence reaches this agent through other tabs. */
  private readonly tabClients = new Set<number>()
  /** The structs that no relay has confirmed, of edits of this run. */
  private readonly queuedRanges = new EditRanges()
  private epoch: string
  /** An edit that the relay does not take; until everything is confirmed. */
  private editError: SkeinError | undefined
  /** The first edit that it keeps from being confirmed. */
  private editErrorFrom = 0
  /** An update that could not be applied; until the connection is live again. */
  private applyError: SkeinError | undefined
  /** Whether the last server was a plain one, which confirms nothing. */
  private plainServer = false
  private announcedConfirmed = 0
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
    this.persistence = new Persistence(
      store,
      stored.queued,
      () => this.queued(),
      () => this.changed(),
    )
    this.state = new SharedState(this.doc, (key) => this.region.isStrong(key))
    if (options.tabs ?? platform.tabsByDefault) {
      this.tabs = new TabChannel(name, this.agentId, replica, this.tabEvents())
    }
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
    this.awareness.awareness.on('update', this.onAwareness)
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
    await this.whenDurable(tier, this.outbox.last, signal)
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
    const source: ReceiptSource = {
      hasReached: (tier, edit) => this.hasReached(tier, edit),
      durable: (tier, edit, signal) => this.whenDurable(tier, edit, signal),
    }
    return receiptFor(source, this.outbox.last, result)
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
    // Who may come back over another path is waited for a little; this agent will not.
    this.connection.presence(this.awareness.encodeGone())
    this.connection.disconnect()
    this.closeTabs()
    this.awareness.forget(this.tabClients, FROM_RELAY)
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

  private async whenDurable(tier: Tier, edit: number, signal: AbortSignal | undefined): Promise<void> {
    if (tier === 'local') {
      const error = this.storeError ?? this.persistence.error
      if (error !== undefined) throw error
      if (this.persistence.store.kind === 'memory') {
        throw new SkeinError('store-unavailable', 'this space is kept in memory only; give it a store')
      }
    } else if (this.editError !== undefined && edit >= this.editErrorFrom && !this.hasReached(tier, edit)) {
      throw this.editError
    }
    const wait = this.waiters.add(tier, edit, signal)
    this.checkWaiters()
    if (tier !== 'local' && !this.hasReached(tier, edit)) this.connection.hurry()
    await wait
  }

  private hasReached(tier: Tier, edit: number): boolean {
    return tier === 'local' ? this.persistence.isSaved(edit) : this.outbox.isConfirmed(edit, tier)
  }

  private openTabs(): void {
    if (this.tabs === undefined || this.tabs.isOpen) return
    this.tabs.open()
    // The goodbye had the clock that they know, so only a higher one counts.
    this.awareness.renew()
  }

  private closeTabs(): void {
    this.tabs?.presence(this.awareness.encodeGone(), false)
    this.tabs?.close()
    this.tabClients.clear()
  }

  private async doLeave(): Promise<void> {
    if (this.connection.live && this.connection.path?.kind === 'relay' && this.editError === undefined) {
      const signal = AbortSignal.timeout(LEAVE_CONFIRM_MS_MAX)
      const confirmed = this.waiters.add('relay', this.outbox.last, signal)
      this.checkWaiters()
      this.connection.hurry()
      await confirmed.catch(() => {})
    }
    await this.region.releaseLeases()
    this.doc.off('update', this.onUpdate)
    this.doc.off('destroy', this.onDestroy)
    this.awareness.awareness.setLocalState(null)
    this.awareness.awareness.off('update', this.onAwareness)
    this.stopWatching()
    this.disconnect()
    await this.persistence.close()
    this.awareness.awareness.destroy()
    const error = new SkeinError('left', `the space "${this.name}" was left`)
    this.settleSynced.reject(error)
    this.waiters.rejectAll(error)
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
    const edit = this.outbox.add()
    this.queuedRanges.add(edit, update)
    this.connection.edit(update)
    if (!fromTab) this.tabs?.edit(update)
    // Last, so that the number of waiting edits that is stored with it is right.
    this.persistence.add(update, edit)
    this.changed()
  }

  private readonly onAwareness = (
    { added, updated, removed }: { added: number[]; updated: number[]; removed: number[] },
    origin: unknown,
  ) => {
    if (removed.includes(this.doc.clientID) && origin !== 'local') {
      // The others were told that this agent is gone.
      queueMicrotask(() => {
        if (this.left === undefined) this.awareness.renew()
      })
    }
    const update = this.awareness.encode([...added, ...updated, ...removed])
    if (origin !== FROM_RELAY) this.connection.presence(update)
    if (origin !== FROM_TAB) this.tabs?.presence(update, origin === FROM_RELAY)
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
      presence: (update) => this.applyPresence(update, FROM_RELAY),
      announce: () => this.announceToRelay(),
      strong: (message) => this.region.received(message),
      problem: (problem) => this.onProblem(problem),
      changed: () => this.onConnectionChanged(),
      lost: () => this.awareness.forget(this.tabClients, FROM_RELAY),
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
      presence: (update) => this.applyPresence(update, FROM_TAB),
      announce: () => this.announceToTabs(),
      answered: () => this.announceToTabs(),
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

  private applyPresence(update: Uint8Array, origin: symbol): void {
    try {
      if (origin === FROM_TAB) {
        for (const { client } of readAwarenessEntries(update)) this.tabClients.add(client)
      }
      applyAwarenessUpdate(this.awareness.awareness, update, origin)
    } catch {
      // Presence is renewed every few seconds; a broken one is dropped.
    }
  }

  /** Tells a relay or server that is new, or asks, who is here and in the tabs without one. */
  private announceToRelay(): void {
    this.awareness.renew()
    const states = this.awareness.awareness.getStates()
    const viaTabs = [...this.tabClients].filter((client) => states.has(client))
    if (viaTabs.length > 0) this.connection.presence(this.awareness.encode(viaTabs))
  }

  /** Tells another tab that is new, or was given what it lacked, who is here. */
  private announceToTabs(): void {
    this.tabs?.presence(this.awareness.encodeAll(), false)
  }

  private onProblem(problem: SessionProblem): void {
    if (!isOfEdits(problem)) return
    const error = problemError(problem)
    if (problem.kind === 'rejected') this.region.writeRejected()
    if (this.editError === undefined || problem.from < this.editErrorFrom) this.editErrorFrom = problem.from
    this.editError = error
    for (const tier of ['relay', 'quorum'] as const) this.waiters.rejectFrom(tier, problem.from, error)
  }

  private onConnectionChanged(): void {
    const { path, live } = this.connection
    if (path !== undefined) this.plainServer = path.kind === 'server'
    this.tabs?.setServed(live)
    this.region.connectionChanged(this.connection.strongSession)
    if (live && !this.wasLive) this.applyError = undefined
    this.wasLive = live
    if (live) this.settleSynced.resolve()
    if (this.outbox.confirmed > this.announcedConfirmed) this.onConfirmed()
    this.changed()
  }

  private onConfirmed(): void {
    this.announcedConfirmed = this.outbox.confirmed
    this.queuedRanges.deleteUpTo(this.outbox.confirmed)
    this.persistence.queuedChanged()
    if (this.outbox.unconfirmed === 0) {
      this.editError = undefined
      this.tellConfirmed()
    }
    this.changed()
  }

  /** Tells tabs without a relay that all is confirmed, if it is. */
  private tellConfirmed(): void {
    if (this.tabs === undefined || this.tabs.count === 0) return
    const confirms = this.connection.live && this.connection.path?.kind === 'relay'
    if (confirms && this.outbox.isConfirmed(this.outbox.last)) this.tabs.confirmed(this.digest())
  }

  private queued(): number {
    return this.plainServer ? this.outbox.notHandedOver : this.outbox.unconfirmed
  }

  private checkWaiters(): void {
    for (const tier of ['local', 'relay', 'quorum'] as const) {
      this.waiters.settle(tier, (edit) => this.hasReached(tier, edit))
    }
    if (this.persistence.error !== undefined) this.waiters.rejectFrom('local', 0, this.persistence.error)
  }

  /** Something that `status` shows, or that somebody waits for, may be different. */
  private changed(): void {
    this.checkWaiters()
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
      queued: this.queued(),
      queuedRanges: this.queuedRanges.all,
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
        this.editError ??
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
