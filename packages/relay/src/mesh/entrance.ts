import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { CLOSE, ProtocolError } from '@skein/protocol'
import type { WebSocket } from 'ws'
import type { Cluster } from '../cluster/cluster.js'
import type { Metrics } from '../metrics.js'
import type { RelayLimits } from '../options.js'
import type { RoomHost } from '../room-host.js'
import type { Rooms } from '../rooms.js'
import { SocketPeer } from '../socket-peer.js'
import { DUPLICATE_LINK, type Mesh } from './mesh.js'
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
  private readonly sockets = new Set<WebSocket>()

  constructor(private readonly options: MeshEntranceOptions) {}

  /** Takes a connection to `/v1/mesh/`. */
  async connected(socket: WebSocket, { url = '', headers }: IncomingMessage, stream: Duplex): Promise<void> {
    const { cluster, mesh, rooms, limits, metrics, newPeerId, isStopping } = this.options
    socket.on('error', ignore)
    const claim = claimOf(url)
    const refuse = (code: number, reason: string) => {
      socket.close(code, reason.slice(0, 100))
      setTimeout(() => socket.terminate(), CLOSE_WITHIN_MS).unref()
    }
    if (claim instanceof ProtocolError) return refuse(CLOSE.badSpaceName, claim.message)
    if (isStopping()) return refuse(CLOSE.restart, 'the relay is stopping')
    if (headers.origin !== undefined) return refuse(CLOSE.originNotAllowed, 'pages are no relays')
    const refusal = refusalOf(claim, cluster)
    // It may have heard of a change of members first.
    if (refusal !== undefined) return refuse(CLOSE.tryLater, refusal)
    const { space, member } = claim
    if (!mesh.accept(space, member)) return refuse(DUPLICATE_LINK, 'there is another link')

    let room: RoomHost | undefined
    let isOpen = true
    const peer = new SocketPeer(newPeerId(), socket, stream, limits, metrics, () => room?.writable(peer.id))
    this.sockets.add(socket)
    socket.on('close', () => {
      isOpen = false
      this.sockets.delete(socket)
      peer.closed()
      room?.leave(peer.id)
      mesh.left(space, member)
    })
    socket.on('message', (frame: Buffer, isBinary: boolean) => {
      if (isBinary) room?.receive(peer.id, new Uint8Array(frame.buffer, frame.byteOffset, frame.length))
    })
    // Until the room is loaded frames wait in the socket.
    socket.pause()
    room = await rooms.join(space, peer, true, member)
    socket.resume()
    if (!isOpen) room?.leave(peer.id)
  }

  close(): void {
    for (const socket of this.sockets) socket.terminate()
  }
}

/** How long a closing handshake may take. */
const CLOSE_WITHIN_MS = 2_000

function claimOf(url: string): MeshClaim | ProtocolError {
  try {
    return readMeshUrl(url)
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
}

function ignore(): void {}
