import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { CLOSE, ProtocolError } from '@skein/protocol'
import type { WebSocket } from 'ws'
import type { Cluster } from '../cluster/cluster.js'
import { LINK_CLOSE } from '../cluster/link.js'
import type { Metrics } from '../metrics.js'
import type { RelayLimits } from '../options.js'
import type { RoomHost } from '../room-host.js'
import type { Rooms } from '../rooms.js'
import { CLOSE_WITHIN_MS, closeReason, SocketPeer } from '../socket-peer.js'
import { LINK_PING_MS, LINK_SILENT_MS_MAX } from './dialed-peer.js'
import type { Mesh } from './mesh.js'
import { refusalOf } from './mesh-cluster.js'
import { type MeshClaim, readMeshUrl } from './mesh-url.js'

export interface MeshEntranceOptions {
  readonly cluster: Cluster
  readonly mesh: Mesh
  readonly rooms: Rooms
  readonly limits: RelayLimits
  readonly metrics: Metrics
  readonly newPeerId: () => number
  readonly isStopping: () => boolean
}

/** Takes links that other relays make for their rooms. */
export class MeshEntrance {
  private checkedMs = performance.now()
  /** When each was last heard; the side that made it pings. */
  private readonly heardMs = new Map<WebSocket, number>()
  private readonly aliveTimer = setInterval(() => this.checkAlive(), LINK_PING_MS)

  constructor(private readonly options: MeshEntranceOptions) {
    this.aliveTimer.unref()
  }

  /** Takes a connection to `/v1/mesh/`. */
  async connected(socket: WebSocket, { url = '', headers }: IncomingMessage, stream: Duplex): Promise<void> {
    const { cluster, mesh, rooms, limits, metrics, newPeerId, isStopping } = this.options
    socket.on('error', ignore)
    const claim = claimOf(url)
    const refuse = (code: number, reason: string) => {
      socket.close(code, closeReason(reason))
      setTimeout(() => socket.terminate(), CLOSE_WITHIN_MS).unref()
    }
    if (claim instanceof ProtocolError) return refuse(CLOSE.badSpaceName, claim.message)
    if (isStopping()) return refuse(CLOSE.restart, 'the relay is stopping')
    if (headers.origin !== undefined) return refuse(CLOSE.originNotAllowed, 'pages are no relays')
    const refusal = refusalOf(claim, cluster)
    // It may have heard of a change of members first.
    if (refusal !== undefined) return refuse(CLOSE.tryLater, refusal)
    const { space, member } = claim
    if (!mesh.accept(space, member)) return refuse(LINK_CLOSE.duplicate, 'there is another link')

    let room: RoomHost | undefined
    let isOpen = true
    const peer = new SocketPeer(newPeerId(), socket, stream, limits, metrics, () => room?.writable(peer.id))
    const heard = () => this.heardMs.set(socket, performance.now())
    heard()
    socket.on('ping', heard)
    socket.on('close', () => {
      isOpen = false
      this.heardMs.delete(socket)
      peer.closed()
      room?.leave(peer.id)
      mesh.left(space, member)
    })
    socket.on('message', (frame: Buffer, isBinary: boolean) => {
      heard()
      if (isBinary) room?.receive(peer.id, new Uint8Array(frame.buffer, frame.byteOffset, frame.length))
    })
    // Until the room is loaded frames wait in the socket.
    socket.pause()
    room = await rooms.join(space, peer, true, member)
    socket.resume()
    if (!isOpen) room?.leave(peer.id)
  }

  close(): void {
    clearInterval(this.aliveTimer)
    for (const socket of this.heardMs.keys()) socket.terminate()
  }

  private checkAlive(): void {
    const nowMs = performance.now()
    const stoodStill = nowMs - this.checkedMs > 3 * LINK_PING_MS
    this.checkedMs = nowMs
    for (const [socket, heardMs] of this.heardMs) {
      // This process stood still: nothing can be said about the others.
      if (stoodStill) this.heardMs.set(socket, nowMs)
      else if (nowMs - heardMs > LINK_SILENT_MS_MAX) socket.terminate()
    }
  }
}

function claimOf(url: string): MeshClaim | ProtocolError {
  try {
    return readMeshUrl(url)
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
}

function ignore(): void {}
