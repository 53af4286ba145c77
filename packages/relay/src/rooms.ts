import { CLOSE } from '@skein/protocol'
import type { Log } from './log/log.js'
import type { Metrics } from './metrics.js'
import type { RelayEvent, RelayLimits } from './options.js'
import { type Peer, RoomHost } from './room-host.js'

/** All rooms in memory. Each is loaded once, however many ask for it at the same time. */
export class Rooms {
  private readonly rooms = new Map<string, Promise<RoomHost>>()
  private readonly loaded = new Set<RoomHost>()
  private readonly ticker: ReturnType<typeof setInterval>

  constructor(
    private readonly relayId: string,
    private readonly limits: RelayLimits,
    private readonly log: Log,
    private readonly metrics: Metrics,
    private readonly onEvent: (event: RelayEvent) => void,
  ) {
    this.ticker = setInterval(() => {
      const now = performance.now()
      for (const room of this.loaded) room.tick(now)
    }, 1_000)
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
  async join(name: string, peer: Peer, skein: boolean): Promise<RoomHost | undefined> {
    for (;;) {
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
      if (room.join(peer, skein)) return room
    }
  }

  /** Waits until everything taken in is on disk. */
  async close(): Promise<void> {
    clearInterval(this.ticker)
    await Promise.all([...this.loaded].map((room) => room.flush()))
  }

  private load(name: string): Promise<RoomHost> {
    const forget = () => {
      this.rooms.delete(name)
      if (host !== undefined) this.loaded.delete(host)
    }
    let host: RoomHost | undefined
    const { relayId, limits, log, metrics, onEvent } = this
    const loading = RoomHost.load(name, { relayId, limits, log, metrics, onEvent, onDone: forget }).then(
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
