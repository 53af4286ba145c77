import { createHash } from 'node:crypto'
import { isFinalCloseCode } from '@skein/protocol'
import { LINK_CLOSE } from '../cluster/link.js'
import type { RelayEvent, RelayLimits } from '../options.js'
import type { RoomHost } from '../room-host.js'
import { DialedPeer } from './dialed-peer.js'
import { meshUrl } from './mesh-url.js'

/** What the mesh has to know of the cluster. */
export interface MeshCluster {
  readonly self: string
  readonly store: string
  /** Names the cluster; undefined while it is not formed. */
  readonly cluster: string | undefined
  /** Whether it may still come to be of a cluster: a space that it began alone now would be another than theirs. */
  readonly isAwaited: boolean
  /** The other members, and where they are, as far as that is known. */
  readonly others: ReadonlyMap<string, string>
  /** Whether it is linked with this member now. */
  isConnected(member: string): boolean
  isQuorum(ids: ReadonlySet<string>): boolean
  /** Names its members; another one after each change of them. Undefined while it is not formed. */
  readonly configuration: string | undefined
}

export interface MeshOptions {
  readonly cluster: MeshCluster
  readonly limits: RelayLimits
  readonly newPeerId: () => number
  /** A room has ended here of which a member may lack something. */
  readonly missed: (member: string) => void
  readonly onEvent: (event: RelayEvent) => void
}

interface RoomLinks {
  readonly host: RoomHost
  /** By member: links that this relay makes. */
  readonly dialed: Map<string, DialedLink>
}

interface DialedLink {
  peer: DialedPeer | undefined
  retryTimer: ReturnType<typeof setTimeout> | undefined
  failures: number
}

const RETRY_MS = 50
/** Refused rooms that are remembered; beyond, they are tried again. */
const REFUSED_MAX = 10_000
const RETRY_MS_MAX = 2_000

/**
 * Links the rooms of this relay with those of the other members of its cluster: a relay makes links for rooms in which
 * it has members of its own, one to each other relay. Over a link two rooms talk as a room does with an agent.
 * Rules: SPEC.md, Y1 to Y8.
 */
export class Mesh {
  private readonly rooms = new Map<string, RoomLinks>()
  /** Links that others have made: how many, by room and member. */
  private readonly accepted = new Map<string, number>()
  /** Rooms that a member does not want to share, until it comes anew. */
  private readonly refused = new Set<string>()
  private readonly waiting = new Set<() => void>()
  private isClosed = false

  constructor(private readonly options: MeshOptions) {}

  /** Whether what is written here goes to other relays, too. */
  get isShared(): boolean {
    const { cluster } = this.options
    return cluster.cluster !== undefined && cluster.others.size > 0
  }

  /** For rooms; it stays the same, and tells what is so when it is asked. */
  readonly forRooms = ((mesh: Mesh) => ({
    get self() {
      return mesh.options.cluster.self
    },
    get isShared() {
      return mesh.isShared
    },
    isQuorum: (ids: ReadonlySet<string>) => mesh.options.cluster.isQuorum(ids),
    get configuration() {
      return mesh.options.cluster.configuration
    },
  }))(this)

  /**
   * The epoch of a space that has none: the same at all relays of a cluster, another in every other cluster.
   * Undefined before the cluster is formed.
   */
  epochOf(space: string): string | undefined {
    const { cluster } = this.options.cluster
    if (cluster === undefined) return undefined
    return createHash('sha256').update(`${cluster}\0${space}`).digest('hex').slice(0, 32)
  }

  /** Waits until it is known how spaces begin, for a while; false where it is not. */
  async whenKnown(withinMs: number): Promise<boolean> {
    const { cluster } = this.options
    if (!cluster.isAwaited) return true
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, withinMs)
      const { waiting } = this
      function done() {
        clearTimeout(timer)
        waiting.delete(done)
        resolve()
      }
      waiting.add(done)
    })
    return !cluster.isAwaited
  }

  /** This relay has members of its own in a room. */
  want(space: string, host: RoomHost): void {
    if (this.isClosed || this.rooms.get(space)?.host === host) return
    this.unwant(space)
    this.rooms.set(space, { host, dialed: new Map() })
    this.dialAll(space)
  }

  /** It has none any more: whoever has some makes links to it. */
  unwant(space: string): void {
    const links = this.rooms.get(space)
    if (links === undefined) return
    this.rooms.delete(space)
    for (const member of this.options.cluster.others.keys()) {
      // Of one that was only looked at nobody misses anything: walks would cause walks.
      if (!links.host.hasChanged || this.isRefused(space, member)) continue
      if (links.host.isAt(member) !== true) this.options.missed(member)
    }
    for (const link of links.dialed.values()) end(link)
  }

  /** Whether a member does not want to share a room, as far as is known. */
  isRefused(space: string, member: string): boolean {
    return this.refused.has(keyOf(space, member))
  }

  /** Whether a member has on its disk all that is in rooms with members of this relay's own. */
  isUpToDate(member: string): boolean {
    return [...this.rooms.values()].every(({ host }) => host.isAt(member) === true)
  }

  /** A member can be reached, maybe again. */
  connected(member: string): void {
    for (const key of [...this.refused]) if (key.startsWith(`${member}\0`)) this.refused.delete(key)
    for (const [space, { dialed }] of this.rooms) {
      const link = dialed.get(member)
      if (link !== undefined) link.failures = 0
      this.dial(space, member)
    }
  }

  /** Other members, or other addresses. */
  changed(): void {
    const { others, isAwaited } = this.options.cluster
    if (!isAwaited) for (const done of [...this.waiting]) done()
    for (const [space, { dialed }] of this.rooms) {
      for (const [member, link] of dialed) {
        if (others.has(member)) continue
        dialed.delete(member)
        end(link)
      }
      this.dialAll(space)
    }
  }

  /**
   * A link that another member has made. False where this relay has made one already, and keeps that: of two the one
   * that the lower id made.
   */
  accept(space: string, member: string): boolean {
    const link = this.rooms.get(space)?.dialed.get(member)
    if (link?.peer?.isOpen && this.options.cluster.self < member) return false
    if (link !== undefined) end(link)
    const key = keyOf(space, member)
    this.accepted.set(key, (this.accepted.get(key) ?? 0) + 1)
    return true
  }

  /** A link that another member had made is gone. */
  left(space: string, member: string): void {
    const key = keyOf(space, member)
    const count = this.accepted.get(key)! - 1
    if (count > 0) this.accepted.set(key, count)
    else this.accepted.delete(key)
    this.dial(space, member)
  }

  close(): void {
    this.isClosed = true
    for (const done of [...this.waiting]) done()
    for (const space of [...this.rooms.keys()]) this.unwant(space)
  }

  private dialAll(space: string): void {
    for (const member of this.options.cluster.others.keys()) this.dial(space, member)
  }

  private dial(space: string, member: string): void {
    const { cluster, limits, newPeerId } = this.options
    const links = this.rooms.get(space)
    const address = cluster.others.get(member)
    if (links === undefined || address === undefined || cluster.cluster === undefined) return
    // As long as the member is away the links of all rooms would be tried in vain.
    if (!cluster.isConnected(member) || this.accepted.has(keyOf(space, member))) return
    const link = links.dialed.get(member) ?? {
      peer: undefined,
      retryTimer: undefined,
      failures: 0,
    }
    links.dialed.set(member, link)
    if (link.peer !== undefined || this.isRefused(space, member)) return
    clearTimeout(link.retryTimer)
    const claim = { space, cluster: cluster.cluster, member: cluster.self, store: cluster.store }
    const id = newPeerId()
    const peer = new DialedPeer(id, meshUrl(address, claim), limits, {
      opened: () => {
        link.failures = 0
        // Without members of its own the room may have ended meanwhile.
        if (link.peer !== peer || !links.host.join(peer, true, member)) peer.terminate()
      },
      frame: (frame) => links.host.receive(id, frame),
      drained: () => links.host.writable(id),
      closed: (code, reason) => {
        links.host.leave(id)
        if (link.peer !== peer) return
        link.peer = undefined
        this.closed(space, member, link, code, reason)
      },
    })
    link.peer = peer
  }

  private closed(space: string, member: string, link: DialedLink, code: number, reason: string): void {
    if (this.refused.size >= REFUSED_MAX) this.refused.clear()
    if (isFinalCloseCode(code) && code !== LINK_CLOSE.duplicate) {
      this.refused.add(keyOf(space, member))
      this.options.onEvent({ kind: 'link-refused', room: space, member, code, reason })
      return
    }
    link.failures++
    const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** (link.failures - 1)) * (0.5 + Math.random() / 2)
    link.retryTimer = setTimeout(() => {
      if (this.rooms.get(space)?.dialed.get(member) === link) this.dial(space, member)
    }, waitMs)
  }
}

function end(link: DialedLink): void {
  const { peer } = link
  clearTimeout(link.retryTimer)
  link.peer = undefined
  peer?.close(1000, 'no members here')
}

function keyOf(space: string, member: string): string {
  return `${member}\0${space}`
}
