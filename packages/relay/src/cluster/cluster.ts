import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Configuration, PeerMessage } from '@skein/paxos'
import type { Registry } from 'prom-client'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Environment } from '../log/lmdb-environment.js'
import type { ClusterOptions, RelayEvent } from '../options.js'
import type { StrongRegion } from '../strong/region.js'
import { ClusterHost } from './cluster-host.js'
import { ClusterMetrics } from './cluster-metrics.js'
import { CLUSTER_PATH } from './dialer.js'
import type { Hello } from './hello.js'
import { CLUSTER_LIMITS } from './limits.js'
import { LINK_CLOSE } from './link.js'
import { Links } from './links.js'
import { openLmdbStorage } from './lmdb-storage.js'
import { Membership } from './membership.js'
import { memoryStorage } from './memory-storage.js'
import { beginIncarnation } from './open-cluster.js'
import { type ReplaceRequest, replaceMember } from './replace.js'
import { type ClusterStatus, statusOf } from './status.js'
import type { ClusterMeta, ClusterStorage } from './storage.js'

export interface ClusterContext {
  /** The relay's id, which its data directory bears. */
  readonly store: string
  readonly storage: ClusterStorage
  readonly meta: ClusterMeta
  readonly options: ClusterOptions
  readonly registry: Registry
  readonly onEvent: (event: RelayEvent) => void
  /** A member can be reached, maybe again. */
  readonly connected: (member: string) => void
  readonly disconnected: (member: string) => void
  /** Whether a member was brought all that this relay has of its rooms. */
  readonly isUpToDate: (member: string) => boolean
  /** The cluster was formed, or its members or their addresses may be others. */
  readonly changed: () => void
}

/**
 * Opens what a relay has of the strong region, and begins a new incarnation.
 * @throws RelayError `cluster-mismatch`, `log-write`, and the `data-` codes
 */
export async function openClusterStorage(
  environment: Environment | undefined,
  options: ClusterOptions,
): Promise<{ readonly storage: ClusterStorage; readonly meta: ClusterMeta }> {
  const storage = environment === undefined ? memoryStorage() : await openLmdbStorage(environment)
  return { storage, meta: await beginIncarnation(storage, options) }
}

/** A relay's membership in a cluster: links to the others, and the strong region that they decide together. */
export class Cluster {
  readonly store: string
  readonly membership: Membership
  readonly host: ClusterHost
  readonly links: Links
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: CLUSTER_LIMITS.frameBytesMax,
    perMessageDeflate: false,
    clientTracking: false,
  })
  /** The change under way, or the last one: one at a time. */
  private replacing: Promise<void> = Promise.resolve()
  private lastRefusals = new Map<string, string>()
  private error: unknown
  private isClosed = false

  constructor(private readonly context: ClusterContext) {
    const { store, storage, meta, options, registry, onEvent } = context
    const failed = (error: unknown) => this.failed(error)
    this.store = store
    this.links = new Links({
      id: meta.id,
      hello: () => this.membership.hello,
      refuse: (peer) => this.refuse(peer),
      connected: (id) => {
        onEvent({ kind: 'member-connected', member: id })
        this.host.connected(id)
        this.context.connected(id)
      },
      disconnected: (id) => {
        this.membership.gone(id)
        this.context.disconnected(id)
        onEvent({ kind: 'member-disconnected', member: id })
      },
      introduced: (peer) => this.membership.introduced(peer),
      received: (peer, messages) => this.received(peer, messages),
    })
    this.membership = new Membership(
      {
        store,
        storage,
        meta,
        peers: options.peers ?? {},
        formed: (configuration) => this.formed(configuration),
        changed: () => this.refresh(),
        failed,
        conflict: (reason) => onEvent({ kind: 'member-refused', member: meta.id, reason }),
      },
      () => this.host.configuration,
    )
    this.host = new ClusterHost({
      id: meta.id,
      clientId: `relay/${store}/${meta.incarnation}`,
      incarnation: meta.incarnation,
      storage,
      metrics: new ClusterMetrics(
        registry,
        () => this.links.connectedIds.length,
        () => this.host.configuration !== undefined,
        () => this.links.dropped,
        () => storage.checkpoints(),
      ),
      send: (to, message) => this.links.send(to, message),
      configured: () => this.refresh(),
      failed,
    })
  }

  get region(): StrongRegion {
    return this.host
  }

  get status(): ClusterStatus {
    return statusOf(this, this.context.isUpToDate)
  }

  get hasFailed(): boolean {
    return this.error !== undefined
  }

  /** Whether it takes no part any more: it was closed, or has failed. */
  get isOver(): boolean {
    return this.isClosed || this.hasFailed
  }

  /** Takes part as far as it can: goes on with a cluster that was formed, or helps to form one. */
  start(): void {
    const { meta, storage } = this.context
    if (meta.cluster !== undefined && storage.configuration !== undefined) {
      this.host.start(storage.configuration)
    }
    this.refresh()
    this.membership.advance()
  }

  /**
   * Puts a member in the place of another. Safe to repeat: what an interrupted call had begun goes on.
   * @throws ReplaceError
   */
  replace(request: ReplaceRequest): Promise<ClusterStatus> {
    this.replacing = this.replacing.catch(() => {}).then(() => replaceMember(this, request))
    return this.replacing.then(() => this.status)
  }

  /** Takes a connection to `/v1/cluster`; false where the request is for something else. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if ((request.url ?? '').split('?', 1)[0] !== CLUSTER_PATH) return false
    this.sockets.handleUpgrade(request, socket, head, (ws) => this.accept(ws, request))
    return true
  }

  close(): void {
    this.isClosed = true
    this.host.stop()
    this.links.close()
  }

  private accept(socket: WebSocket, { headers }: IncomingMessage): void {
    if (headers.origin === undefined) {
      this.links.accept(socket)
    } else {
      socket.on('error', () => {})
      socket.close(LINK_CLOSE.notAMember, 'pages are no members')
    }
  }

  private received(peer: Hello, messages: readonly PeerMessage[]): void {
    if (this.membership.cluster !== undefined) {
      this.host.receive(peer.id, messages)
      return
    }
    for (const message of messages) {
      if (message.kind === 'install') this.membership.install(peer, message.configuration)
    }
  }

  private refuse(peer: Hello): string | undefined {
    const refusal = this.membership.refusal(peer)
    if (refusal === undefined) {
      this.lastRefusals.delete(peer.id)
      return undefined
    }
    const { kind, message: reason } = refusal
    // It comes again and again; the operator is told once.
    if (this.lastRefusals.get(peer.id) !== reason) {
      if (this.lastRefusals.size >= CLUSTER_LIMITS.addressesMax) this.lastRefusals.clear()
      this.lastRefusals.set(peer.id, reason)
      this.context.onEvent({
        kind: kind === 'foreign-store' ? kind : 'member-refused',
        member: peer.id,
        reason,
      })
    }
    return reason
  }

  private formed(configuration: Configuration): void {
    const members = configuration.members.map(({ id }) => id)
    // A relay on its own is nothing to tell of.
    if (members.length > 1) this.context.onEvent({ kind: 'cluster-formed', members })
    this.host.start(configuration)
  }

  private refresh(): void {
    this.links.setTargets(this.membership.targets)
    this.links.announce()
    this.context.changed()
  }

  private failed(error: unknown): void {
    // What was to be saved while it was closed is saved after the next start.
    if (this.isOver) return
    this.error = error
    this.host.stop()
    this.links.close()
    this.context.onEvent({ kind: 'strong-failed', error })
  }
}
