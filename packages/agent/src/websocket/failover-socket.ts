import {
  CLOSE,
  decodeChunked,
  decodeStateVector,
  encodeFrame,
  type Message,
  ProtocolError,
  scanUpdate,
  type UnknownMessage,
  writeAwarenessEntries,
} from '@skein/protocol'
import {
  documentDigest,
  documentReplica,
  KEEP_ALIVE_MS,
  Outbox,
  type Replica,
  type SessionProblem,
} from '@skein/sync'
import * as Y from 'yjs'
import { Connection, type ConnectionEvents, isOfEdits } from '../connection.js'
import type { SkeinError } from '../errors.js'
import type { Sockets } from '../platform.js'
import { problemError } from '../problems.js'
import { randomId } from '../random-id.js'
import { spaceUrl } from '../space-url.js'
import { memoryStore } from '../store/memory-store.js'
import type { PathStatus, PathSwitch } from '../types.js'
import { addressOf } from './address.js'
import { Attempts } from './attempts.js'
import { Backlog } from './backlog.js'
import { PresenceFilter } from './presence-filter.js'
import { ABNORMAL, SocketShape } from './socket-shape.js'

/** How long a close waits for the last edits to be confirmed. */
const CLOSE_CONFIRM_MS_MAX = 2_000
/** What y-websocket's convention makes of 1009, which its clients would answer with the same frame for ever. */
const TOO_LARGE = 4413

/** What the sockets of one provider hand on, each to the next. */
export class ProviderMemory {
  /** The epoch of each space that the provider's document belongs to. */
  readonly epochs = new Map<string, string>()
  /** Clients whose presence was told before. */
  readonly announced = new Set<number>()
}

/**
 * The server that a stock provider believes to be connected to. It has a replica of its own, which it keeps equal
 * to the provider's document on the one side, and to the relays on the other.
 */
export class FailoverSocket extends SocketShape {
  readonly url: string

  private readonly space: string
  // What the application's document keeps of deleted content its relays shall have, too.
  private readonly doc = new Y.Doc({ gc: false })
  private readonly replica: Replica
  private readonly outbox = new Outbox()
  private readonly backlog = new Backlog()
  private readonly presence = new PresenceFilter()
  private readonly attempts: Attempts
  private readonly connection: Connection
  private readonly stopWatching: () => void
  private keepAlive: ReturnType<typeof setInterval> | undefined
  private closeTimer: ReturnType<typeof setTimeout> | undefined
  /** How it is to be closed once the last edits are confirmed. */
  private closing: { readonly code: number; readonly reason: string } | undefined
  private isOver = false
  /** The state vector that the provider wants an answer to. */
  private question: Uint8Array | undefined
  /** The provider has all that a relay had; from then on it is told what changes. */
  private isAnswered = false
  /** The provider was asked what it has, and has not answered. */
  private isAsking = false
  private wasLive = false
  /** Whether the last server was a plain one, which confirms nothing. */
  private plainServer = false
  /** Until the document changes: each one is a pass over all of it. */
  private cachedDigest: string | undefined
  private problem: SkeinError | undefined

  constructor(
    sockets: Sockets,
    list: readonly string[],
    private readonly memory: ProviderMemory,
    url: string | URL,
    protocols: string | readonly string[],
  ) {
    super()
    const { space, relays } = addressOf(url, list)
    this.url = String(url)
    this.space = space
    this.replica = documentReplica(
      this.doc,
      () => this.memory.epochs.get(space) ?? '',
      () => this.digest(),
    )
    const offered = typeof protocols === 'string' ? [protocols] : protocols
    this.attempts = new Attempts(
      relays.map((relay) => spaceUrl(relay, space)),
      (address) => sockets.connect(address, offered),
      {
        opened: (protocol) => this.relayOpened(protocol),
        // The connection learns of it now, and what it makes of that counts.
        ended: () => queueMicrotask(() => this.checkEnd()),
      },
    )
    this.connection = new Connection(
      relays,
      space,
      randomId(),
      {
        connect: (address) => this.attempts.connect(address),
        watch: sockets.watch,
        // The document is the provider's; whether it is stored is the application's business.
        openStore: async () => memoryStore(),
        storeRequired: () => false,
        tabsByDefault: false,
      },
      this.replica,
      this.outbox,
      this.relayEvents(),
    )
    this.doc.on('update', this.onUpdate)
    this.stopWatching = sockets.watch(
      () => this.connection.wake(),
      () => {},
    )
    this.connection.connect()
  }

  get bufferedAmount(): number {
    return this.backlog.bytes
  }

  get paths(): readonly PathStatus[] {
    return this.connection.paths
  }

  get lastSwitch(): PathSwitch | undefined {
    return this.connection.lastSwitch
  }

  get queued(): number {
    return this.plainServer ? this.outbox.notHandedOver : this.outbox.unconfirmed
  }

  get error(): SkeinError | undefined {
    return this.connection.error ?? this.problem
  }

  protected fromApplication(frame: Uint8Array): void {
    try {
      // Not bound to the size of a frame: it goes to the relays in chunks.
      this.fromProvider(decodeChunked(frame))
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.end(CLOSE.malformedFrame, error.message)
    }
  }

  protected beginClose(code: number, reason: string): void {
    if (code === ABNORMAL) {
      this.end(code, reason)
      return
    }
    this.closing = { code, reason }
    this.closeTimer = setTimeout(() => this.end(code, reason), CLOSE_CONFIRM_MS_MAX)
    this.connection.hurry()
    this.checkClosing()
  }

  /** Before anything is said to the relay, so that it is asked only for what the provider lacks. */
  private relayOpened(protocol: string): void {
    if (this.isOver || this.readyState !== this.CONNECTING) return
    this.keepAlive = setInterval(() => this.tell(KEEP_ALIVE), KEEP_ALIVE_MS)
    this.opened(protocol)
    this.askProvider()
  }

  private fromProvider(message: Message | UnknownMessage): void {
    switch (message.type) {
      case 'sync-step-1':
        decodeStateVector(message.stateVector)
        this.question = message.stateVector.slice()
        this.answerProvider()
        return
      case 'sync-step-2':
        this.isAsking = false
        this.applyFromProvider(message.update)
        return
      case 'update':
        this.applyFromProvider(message.update)
        // It has heard more than what went through here, e.g. from other tabs.
        if (!this.isOver && this.replica.hasGap()) this.askProvider()
        return
      case 'awareness': {
        const news = this.presence.fromProvider(message.update)
        if (news !== undefined) this.connection.presence(news)
        return
      }
      case 'query-awareness':
        this.tell({ type: 'awareness', update: this.presence.encodeTheirs() })
        return
      default:
        // What a relay skips, too.
        return
    }
  }

  private applyFromProvider(update: Uint8Array): void {
    try {
      scanUpdate(update)
      Y.applyUpdate(this.doc, update, this.destinations('relay'))
    } catch (error) {
      this.end(CLOSE.malformedUpdate, `the update cannot be applied: ${String(error)}`)
    }
  }

  /** Where something is missing, what fills the gap may set free what came from the other side before. */
  private destinations(to: 'relay' | 'provider'): Destinations {
    const both = this.replica.hasGap()
    return { toRelay: both || to === 'relay', toProvider: both || to === 'provider' }
  }

  private readonly onUpdate = (update: Uint8Array, origin: unknown) => {
    this.cachedDigest = undefined
    const { toRelay, toProvider } = origin as Destinations
    if (toProvider && this.isAnswered) this.tell({ type: 'update', update })
    if (toRelay) {
      this.backlog.add(this.outbox.add(), update.length)
      this.connection.edit(update)
    }
  }

  private digest(): string {
    this.cachedDigest ??= documentDigest(this.doc)
    return this.cachedDigest
  }

  /** What has been asked is answered when a relay has told all it has, so that "synced" means just that. */
  private answerProvider(): void {
    if (this.question === undefined || !(this.isAnswered || this.connection.live)) return
    const update = Y.encodeStateAsUpdate(this.doc, this.question)
    this.question = undefined
    this.isAnswered = true
    this.tell({ type: 'sync-step-2', update })
  }

  private askProvider(): void {
    if (this.isAsking) return
    this.isAsking = true
    this.tell({ type: 'sync-step-1', stateVector: this.replica.stateVector() })
  }

  private relayEvents(): ConnectionEvents {
    return {
      epoch: (epoch) => this.memory.epochs.set(this.space, epoch),
      apply: (update) => this.applyFromRelay(update),
      presence: (update) => this.presenceFromRelay(update),
      announce: () => this.announce(),
      strong: () => {},
      problem: (problem) => this.onProblem(problem),
      changed: () => this.onConnectionChanged(),
      lost: () => this.presence.lost(),
    }
  }

  private applyFromRelay(update: Uint8Array): void {
    if (this.isOver) return
    try {
      Y.applyUpdate(this.doc, update, this.destinations('provider'))
    } catch (error) {
      // Well-formed, yet Yjs cannot integrate it: a hostile or broken peer. The next one begins anew.
      this.end(INTERNAL_ERROR, `an update of the relay cannot be applied: ${String(error)}`)
    }
  }

  private presenceFromRelay(update: Uint8Array): void {
    try {
      this.presence.fromRelay(update)
    } catch {
      // Presence is renewed every few seconds; a broken one is dropped.
      return
    }
    this.tell({ type: 'awareness', update })
  }

  /** A relay is new, or asks, who is here. */
  private announce(): void {
    this.connection.presence(this.presence.encodeOurs())
    const { own } = this.presence
    if (own === undefined) return
    const renewal = this.memory.announced.has(own) ? this.presence.encodeRenewal() : undefined
    this.memory.announced.add(own)
    if (renewal !== undefined) this.tell({ type: 'awareness', update: renewal })
  }

  private onProblem(problem: SessionProblem): void {
    this.problem = problemError(problem)
    if (problem.kind === 'denied') this.tell({ type: 'auth-denied', reason: problem.reason })
    if (isOfEdits(problem)) this.failed(this.problem)
  }

  private onConnectionChanged(): void {
    if (this.isOver) return
    const { path, live } = this.connection
    if (path !== undefined) this.plainServer = path.kind === 'server'
    this.backlog.arrived(this.outbox.last - this.queued)
    const isBack = live && !this.wasLive
    this.wasLive = live
    this.answerProvider()
    if (isBack) this.afterExchange()
    this.checkClosing()
    if (this.connection.state === 'refused') queueMicrotask(() => this.checkEnd())
  }

  /** The relay has told who is here, and what it lacks. */
  private afterExchange(): void {
    const gone = this.presence.takeGone()
    if (gone !== undefined) this.tell({ type: 'awareness', update: gone })
    // What the provider has heard elsewhere meanwhile, e.g. from other tabs, no relay may have.
    this.isAsking = false
    this.askProvider()
  }

  /** A relay has ended a connection, or could not be reached. */
  private checkEnd(): void {
    if (this.isOver) return
    if (this.connection.state === 'refused') {
      const { code, reason } = this.attempts.refusal
      this.end(code === CLOSE.frameTooLarge ? TOO_LARGE : code, reason)
    } else if (this.attempts.exhausted) this.end(ABNORMAL, 'no relay can be reached')
  }

  private checkClosing(): void {
    if (this.closing !== undefined && this.queued === 0) this.end(this.closing.code, this.closing.reason)
  }

  private tell(message: Message): void {
    this.deliver(encodeFrame(message) as Uint8Array<ArrayBuffer>)
  }

  private end(code: number, reason: string): void {
    if (this.isOver) return
    this.isOver = true
    clearInterval(this.keepAlive)
    clearTimeout(this.closeTimer)
    this.stopWatching()
    this.connection.disconnect()
    this.doc.destroy()
    this.closed(code, reason)
  }
}

/** Where an update of the replica goes; it is the origin of the transaction that makes it. */
interface Destinations {
  readonly toRelay: boolean
  readonly toProvider: boolean
}

/** Close code of a server that met something unexpected. */
const INTERNAL_ERROR = 1011

/** As a stock server says that it is still there. */
const KEEP_ALIVE: Message = { type: 'awareness', update: writeAwarenessEntries([]) }
