import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  CLOSE,
  decodeFrame,
  encodeFrame,
  MESSAGE_IDS,
  NEGOTIATION_PARAM,
  NEGOTIATION_VALUE,
  ProtocolError,
  type StrongAnswerMessage,
  type StrongEventMessage,
  spaceNameFromPath,
} from '@skein/protocol'
import { type WebSocket, WebSocketServer } from 'ws'
import { checkOptions } from './check-options.js'
import { Cluster, openClusterStorage } from './cluster/cluster.js'
import type { ClusterStatus } from './cluster/status.js'
import { type DataDirectory, openDataDirectory } from './data/data-directory.js'
import { RelayError } from './errors.js'
import { Replicas } from './http/replicas.js'
import { createRouter } from './http/router.js'
import { createHttpServer, refuseUpgrade } from './http/server.js'
import { StreamSeats } from './http/stream-seats.js'
import { openEnvironment } from './log/lmdb-environment.js'
import { lmdbLog } from './log/lmdb-log.js'
import type { Log } from './log/log.js'
import { memoryLog } from './log/memory-log.js'
import { MeshEntrance } from './mesh/entrance.js'
import { Mesh } from './mesh/mesh.js'
import { meshClusterOf } from './mesh/mesh-cluster.js'
import { isMeshPath } from './mesh/mesh-url.js'
import { Walks } from './mesh/walks.js'
import { Metrics } from './metrics.js'
import {
  DEFAULT_LIMITS,
  isOriginAllowed,
  type RelayEvent,
  type RelayLimits,
  type RelayOptions,
} from './options.js'
import type { RoomHost } from './room-host.js'
import { Rooms } from './rooms.js'
import { reportSocket } from './socket-events.js'
import { SocketPeer } from './socket-peer.js'
import type { StrongRegion } from './strong/region.js'
import { StrongSession } from './strong/session.js'
import { StrongSpaces } from './strong/spaces.js'
import { wireFrame } from './wire-frame.js'

/** A running relay. */
export interface Relay {
  /** This relay's id; kept with its data. */
  readonly id: string
  readonly port: number
  /** Where agents and y-websocket clients connect, e.g. `ws://127.0.0.1:1234`. */
  readonly url: string
  /** Rooms in memory now. */
  readonly roomCount: number
  /** Connections open now. */
  readonly connectionCount: number
  /** Registers that all relays of the cluster decide together; without a cluster this one alone. */
  readonly strong: StrongRegion
  /** Which cluster this relay belongs to, and whom of it it can reach. */
  readonly cluster: ClusterStatus
  /** Closes all connections (1012, come back), flushes what was taken in, and lets go of the data. */
  close(): Promise<void>
}

/**
 * A commit costs the CPU of a hundred deliveries, and at a modest rate each update would have its own. Who
 * waits for one says so, and does not wait for this.
 */
const COMMIT_EVERY_MS = 100
/** How often connections are checked for a dead other end. */
const ALIVE_CHECK_MS = 30_000
/** How long clients get to answer the close of a stopping relay. */
const CLOSE_WITHIN_MS = 1_000

/**
 * Starts a relay.
 * @throws RelayError `bad-option`, `port-in-use`, and the `data-` codes; nothing is left running then
 */
export function createRelay(options: RelayOptions = {}): Promise<Relay> {
  return startRelay(options, undefined)
}

/** The same, over a strong region other than its cluster's. */
export async function startRelay(options: RelayOptions, region: StrongRegion | undefined): Promise<Relay> {
  checkOptions(options)
  const data = options.dataDir === undefined ? undefined : await openDataDirectory(options.dataDir)
  let log: Log | undefined
  try {
    const environment = data === undefined ? undefined : await openEnvironment(data, COMMIT_EVERY_MS)
    log =
      environment === undefined
        ? (options.log ?? memoryLog())
        : { ...lmdbLog(environment), close: environment.close }
    const cluster = await openClusterStorage(environment, options.cluster ?? {})
    const server = new RelayServer(options, log, data, cluster, region)
    await server.listen()
    return server
  } catch (error) {
    await log?.close()
    await data?.release()
    throw error
  }
}

class RelayServer implements Relay {
  readonly id: string
  private readonly limits: RelayLimits
  private readonly host: string
  private readonly onEvent: (event: RelayEvent) => void
  private readonly http: Server
  private readonly sockets: WebSocketServer
  private readonly rooms: Rooms
  private readonly replicas: Replicas
  private readonly metrics: Metrics
  private readonly members: Cluster
  /** Its rooms at the other relays. */
  private readonly mesh: Mesh
  private readonly walks: Walks
  private readonly entrance: MeshEntrance
  /** Its strong keys, space by space. */
  private readonly strongSpaces: StrongSpaces
  private readonly peers = new Map<SocketPeer, WebSocket>()
  private readonly aliveTimer: ReturnType<typeof setInterval>
  private nextId = 1
  private closing: Promise<void> | undefined

  constructor(
    private readonly options: RelayOptions,
    private readonly log: Log,
    private readonly data: DataDirectory | undefined,
    cluster: Awaited<ReturnType<typeof openClusterStorage>>,
    region: StrongRegion | undefined,
  ) {
    this.id = data?.relayId ?? globalThis.crypto.randomUUID()
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.host = options.host ?? '127.0.0.1'
    const streams = new StreamSeats(this.limits.streamsMax)
    this.metrics = new Metrics({
      rooms: () => this.roomCount,
      connections: () => this.connectionCount,
      slowReaders: () => [...this.peers.keys()].filter(({ congested }) => congested).length,
      contentBytes: () => this.rooms.contentBytes,
      streams: () => streams.taken,
    })
    this.onEvent = (event) => {
      this.metrics.count(event)
      options.onEvent?.(event)
    }
    this.members = new Cluster({
      ...cluster,
      store: this.id,
      options: options.cluster ?? {},
      registry: this.metrics.registry,
      onEvent: this.onEvent,
      connected: (member) => {
        this.mesh.connected(member)
        this.walks.connected(member)
      },
      disconnected: (member) => this.walks.disconnected(member, [...meshCluster.others.keys()]),
      isUpToDate: (member) => this.walks.isUpToDate(member) && this.mesh.isUpToDate(member),
      changed: () => {
        this.mesh.changed()
        this.rooms.clusterChanged()
      },
    })
    const newPeerId = () => this.nextId++
    const meshCluster = meshClusterOf(() => this.members)
    this.walks = new Walks({
      log,
      rooms: () => this.rooms,
      newPeerId,
      isConnected: (member) => meshCluster.isConnected(member),
      isRefused: (space, member) => this.mesh.isRefused(space, member),
      onError: (error) => this.onEvent({ kind: 'request-failed', error }),
    })
    this.mesh = new Mesh({
      cluster: meshCluster,
      limits: this.limits,
      newPeerId,
      missed: (member) => this.walks.missed(member),
      onEvent: this.onEvent,
    })
    this.strongSpaces = new StrongSpaces(region ?? this.members.region, options.strong)
    this.rooms = new Rooms(
      this.id,
      this.limits,
      log,
      this.metrics,
      this.strongSpaces,
      this.mesh,
      this.onEvent,
    )
    this.entrance = new MeshEntrance({
      cluster: this.members,
      mesh: this.mesh,
      rooms: this.rooms,
      limits: this.limits,
      metrics: this.metrics,
      newPeerId,
      isStopping: () => this.closing !== undefined,
    })
    this.replicas = new Replicas(this.rooms, this.id, newPeerId)
    const router = createRouter({
      replicas: this.replicas,
      strong: this.strongSpaces,
      metrics: this.metrics,
      cluster: this.members,
      streams,
      origins: options.origins ?? [],
      isReady: () => this.closing === undefined,
      onError: (error) => this.onEvent({ kind: 'request-failed', error }),
    })
    this.http = createHttpServer((request, response) => void router(request, response))
    this.sockets = new WebSocketServer({
      noServer: true,
      maxPayload: this.limits.frameBytesMax,
      perMessageDeflate: false,
      clientTracking: false,
    })
    this.sockets.on('wsClientError', ({ message }, socket) => refuseUpgrade(socket, message))
    this.http.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head))
    this.aliveTimer = setInterval(() => {
      for (const peer of this.peers.keys()) peer.checkAlive()
    }, ALIVE_CHECK_MS)
    this.aliveTimer.unref()
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port
  }

  get url(): string {
    return `ws://${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`
  }

  get roomCount(): number {
    return this.rooms.count
  }

  get connectionCount(): number {
    return this.peers.size
  }

  get strong(): StrongRegion {
    return this.members.region
  }

  get cluster(): ClusterStatus {
    return this.members.status
  }

  async listen(): Promise<void> {
    const { port = 0 } = this.options
    try {
      this.http.listen(port, this.host)
      await once(this.http, 'listening')
    } catch (error) {
      clearInterval(this.aliveTimer)
      this.members.close()
      this.walks.stop()
      this.mesh.close()
      this.entrance.close()
      await this.rooms.close()
      const cause = error as NodeJS.ErrnoException
      throw cause.code === 'EADDRINUSE' ? portInUse(port, cause) : cannotListen(this.host, port, cause)
    }
    // It listens on after an error, such as too many open files, but without a listener would end the process.
    this.http.on('error', (error) => this.onEvent({ kind: 'server-failed', error }))
    this.members.start()
  }

  close(): Promise<void> {
    this.closing ??= this.doClose()
    return this.closing
  }

  private async doClose(): Promise<void> {
    clearInterval(this.aliveTimer)
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()))
    for (const [peer, socket] of this.peers) {
      // Nothing more is taken in: what arrives from now on could not be confirmed.
      socket.removeAllListeners('message')
      peer.close(CLOSE.restart, 'the relay is stopping')
    }
    this.members.close()
    this.walks.stop()
    this.mesh.close()
    this.entrance.close()
    // Requests under way get their answer with the last flush.
    await this.rooms.close()
    this.replicas.close()
    this.strongSpaces.close()
    const deadline = setTimeout(() => {
      for (const socket of this.peers.values()) socket.terminate()
      this.http.closeAllConnections()
    }, CLOSE_WITHIN_MS)
    await closed
    clearTimeout(deadline)
    await this.log.close()
    await this.data?.release()
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A browser cannot see why an upgrade was refused, so every connection is taken and then closed with
    // the code that says why.
    // Not a closure: it would keep the request in memory as long as the connection.
    socket.on('error', destroy)
    if (this.members.upgrade(request, socket, head)) return
    const isMesh = isMeshPath(request.url ?? '')
    this.sockets.handleUpgrade(request, socket, head, (ws) => {
      ;(isMesh ? this.entrance : this).connected(ws, request, socket).catch((error: unknown) => {
        // One connection, whatever it has brought about.
        ws.terminate()
        this.onEvent({ kind: 'request-failed', error })
      })
    })
  }

  async connected(socket: WebSocket, request: IncomingMessage, stream: Duplex): Promise<void> {
    let room: RoomHost | undefined
    let strong: StrongSession | undefined
    let open = true
    const peer = new SocketPeer(this.nextId++, socket, stream, this.limits, this.metrics, () => {
      room?.writable(peer.id)
      strong?.writable()
    })
    // `ws` closes by itself with the right code; the close follows.
    socket.on('error', ignore)
    socket.on('close', () => {
      open = false
      this.peers.delete(peer)
      peer.closed()
      strong?.close()
      room?.leave(peer.id)
    })
    if (this.closing !== undefined) return peer.close(CLOSE.restart, 'the relay is stopping')
    if (this.peers.size >= this.limits.connectionsMax) {
      return peer.close(CLOSE.tryLater, 'the relay has too many connections; try again later')
    }
    this.peers.set(peer, socket)
    const { origin } = request.headers
    if (!isOriginAllowed(origin, this.options.origins ?? [])) {
      return peer.close(CLOSE.originNotAllowed, `pages of ${origin} may not connect to this relay`)
    }
    const asked = parseRequest(request)
    if (asked instanceof ProtocolError) return peer.close(CLOSE.badSpaceName, asked.message)
    const { space, skein } = asked
    reportSocket(socket, space, this.onEvent)
    if (skein) strong = this.strongSession(space, peer)
    socket.on('pong', () => {
      peer.alive = true
    })
    socket.on('message', (frame: Buffer, isBinary: boolean) => {
      peer.alive = true
      // A plain view: slices of a Buffer are not copies, and would keep its whole memory alive.
      this.metrics.framesReceived.inc()
      this.metrics.bytesReceived.inc(frame.length)
      if (!isBinary) {
        this.refuse(socket, space, peer, 'text frames are not part of this protocol')
        return
      }
      const view = new Uint8Array(frame.buffer, frame.byteOffset, frame.length)
      if (strong !== undefined && frame[0] === STRONG_REQUEST) this.request(socket, space, peer, strong, view)
      else room?.receive(peer.id, view)
    })
    // Until the room is loaded the client's frames wait in its socket.
    socket.pause()
    room = await this.rooms.join(space, peer, skein)
    socket.resume()
    if (!open) room?.leave(peer.id)
  }

  private strongSession(space: string, peer: SocketPeer): StrongSession {
    const connection = {
      get congested() {
        return peer.congested
      },
      send: (message: StrongAnswerMessage | StrongEventMessage) => {
        const frame = encodeFrame(message)
        peer.send(frame, () => wireFrame(frame))
      },
    }
    return new StrongSession(this.strongSpaces, space, connection, (error) => {
      this.onEvent({ kind: 'request-failed', error })
    })
  }

  /** Takes a strong request; the room has no part in it. */
  private request(
    socket: WebSocket,
    space: string,
    peer: SocketPeer,
    strong: StrongSession,
    frame: Uint8Array,
  ): void {
    try {
      const message = decodeFrame(frame)
      if (message.type === 'strong-request') strong.receive(message)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      strong.close()
      this.refuse(socket, space, peer, error.message)
    }
  }

  private refuse(socket: WebSocket, room: string, peer: SocketPeer, reason: string): void {
    // One close, and one event, however many more of them are under way.
    socket.removeAllListeners('message')
    const code = CLOSE.malformedFrame
    this.onEvent({ kind: 'client-closed', room, code, reason })
    peer.close(code, reason)
  }
}

const STRONG_REQUEST = MESSAGE_IDS['strong-request']

function destroy(this: Duplex): void {
  this.destroy()
}

function ignore(): void {}

function parseRequest(request: IncomingMessage): { space: string; skein: boolean } | ProtocolError {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  try {
    const skein = new URLSearchParams(query).get(NEGOTIATION_PARAM) === NEGOTIATION_VALUE
    return { space: spaceNameFromPath(path), skein }
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
}

function cannotListen(host: string, port: number, cause: Error): RelayError {
  const what = `cannot listen on ${host} port ${port}: ${cause.message}`
  return new RelayError('bad-option', `${what}. Choose another host or port.`, { cause })
}

function portInUse(port: number, cause: Error): RelayError {
  return new RelayError(
    'port-in-use',
    `port ${port} is in use by another program. Stop it, or choose another port.`,
    { cause },
  )
}
