import { CLOSE } from '@skein/protocol'
import { ByteBudget } from '@skein/sync'
import { Workers } from './compaction/workers.js'
import type { Log } from './log/log.js'
import type { Mesh } from './mesh/mesh.js'
import type { Metrics } from './metrics.js'
import type { RelayEvent, RelayLimits } from './options.js'
import { type Peer, RoomHost } from './room-host.js'
import type { StrongSpaces } from './strong/spaces.js'

/** How long somebody who asks for a new space waits for the cluster to be formed. */
const KNOWN_WITHIN_MS = 3_000
/** How often rooms are looked at. */
const TICK_MS = 1_000
/** Content that nobody asked for so long is dropped; small ones stay, for reading them again costs more. */
const CONTENT_IDLE_MS = 30_000
const CONTENT_BYTES_MIN = 64 * 1024

/** All rooms in memory. Each is loaded once, however many ask for it at the same time. */
export class Rooms {
  private readonly rooms = new Map<string, Promise<RoomHost>>()
  private readonly loaded = new Set<RoomHost>()
  private readonly ticker: ReturnType<typeof setInterval>
  private readonly workers = new Workers()
  private readonly inboundBudget: ByteBudget

  constructor(
    private readonly relayId: string,
    private readonly limits: RelayLimits,
    private readonly log: Log,
    private readonly metrics: Metrics,
    private readonly strong: StrongSpaces | undefined,
    private readonly mesh: Mesh,
    private readonly onEvent: (event: RelayEvent) => void,
  ) {
    this.inboundBudget = new ByteBudget(limits.inboundBytesMax)
    this.ticker = setInterval(() => {
      const now = performance.now()
      for (const room of this.loaded) room.tick(now)
      this.trim(now)
    }, TICK_MS)
    this.ticker.unref()
  }

  /** Rooms in memory. */
  get count(): number {
    return this.rooms.size
  }

  /**
   * Brings a connection into a room. Where that cannot be, closes it with the code that says why and
   * returns undefined.
   */
  async join(name: string, peer: Peer, skein: boolean, relay?: string): Promise<RoomHost | undefined> {
    for (;;) {
      if (!this.rooms.has(name) && !(await this.mayBegin(name))) {
        const missing = 'the relays of this cluster have not met yet, and this space is new; try again later'
        peer.close(CLOSE.tryLater, missing)
        return undefined
      }
      // Nothing is waited for from here to the load: all who ask at once would be let in.
      const known = this.rooms.get(name)
      if (known === undefined && this.rooms.size >= this.limits.roomsMax) {
        peer.close(CLOSE.tryLater, 'the relay has too many rooms in memory; try again later')
        return undefined
      }
      let room: RoomHost
      try {
        room = await (known ?? this.load(name))
      } catch {
        peer.close(CLOSE.spaceUnavailable, 'the relay cannot load this space; its operator has to mend it')
        return undefined
      }
      if (room.join(peer, skein, relay)) return room
    }
  }

  /** A space that is new begins in the same way at all relays of the cluster, or not yet. */
  private async mayBegin(name: string): Promise<boolean> {
    const isNew = (await this.log.epochOf(name).catch(() => 'unreadable')) === ''
    return !isNew || this.mesh.whenKnown(KNOWN_WITHIN_MS)
  }

  /** Other relays make up the cluster now. */
  clusterChanged(): void {
    for (const room of this.loaded) room.clusterChanged()
  }

  /** Waits until everything taken in is on disk. */
  async close(): Promise<void> {
    clearInterval(this.ticker)
    await Promise.all([...this.loaded].map((room) => room.flush()))
    await this.workers.close()
  }

  /** Bytes of content in memory. */
  get contentBytes(): number {
    let bytes = 0
    for (const { content } of this.loaded) bytes += content.bytes
    return bytes
  }

  /** Lets go of content that nobody has asked for lately, and of more where it is too much for all. */
  private trim(nowMs: number): void {
    let bytes = this.contentBytes
    const inMemory = [...this.loaded].map(({ content }) => content).filter(({ isInMemory }) => isInMemory)
    inMemory.sort((a, b) => a.usedMs - b.usedMs)
    for (const content of inMemory) {
      const isIdle = nowMs - content.usedMs > CONTENT_IDLE_MS && content.bytes > CONTENT_BYTES_MIN
      if (!isIdle && bytes <= this.limits.contentBytesMax) continue
      bytes -= content.bytes
      content.drop()
    }
  }

  private load(name: string): Promise<RoomHost> {
    const forget = () => {
      this.rooms.delete(name)
      if (host !== undefined) this.loaded.delete(host)
    }
    let host: RoomHost | undefined
    const { relayId, limits, log, workers, inboundBudget, metrics, strong, mesh, onEvent } = this
    const options = {
      relayId,
      limits,
      log,
      workers,
      inboundBudget,
      metrics,
      strong,
      mesh,
      onEvent,
      onDone: forget,
    }
    const loading = RoomHost.load(name, options).then(
      (loadedHost) => {
        host = loadedHost
        this.loaded.add(host)
        return host
      },
      (error: unknown) => {
        onEvent({ kind: 'room-failed', room: name, error })
        forget()
        throw error
      },
    )
    this.rooms.set(name, loading)
    return loading
  }
}
