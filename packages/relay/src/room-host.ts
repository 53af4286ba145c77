import { CLOSE } from '@skein/protocol'
import { type MemberId, Room, type RoomEffects } from '@skein/sync'
import { RelayError } from './errors.js'
import type { Log } from './log/log.js'
import type { Metrics } from './metrics.js'
import type { RelayEvent, RelayLimits } from './options.js'
import { wireFrame } from './wire-frame.js'

/** A connection as a room sees it. */
export interface Peer {
  readonly id: MemberId
  /** `wire` gives the same message as the bytes of one WebSocket frame, made once for all who ask. */
  send(message: Uint8Array, wire: () => Buffer): void
  /** Whether it takes bytes too slowly. When it has drained, `relieved` of the room host is called. */
  readonly congested: boolean
  close(code: number, reason: string): void
}

export interface RoomHostOptions {
  readonly relayId: string
  readonly limits: RelayLimits
  readonly log: Log
  readonly metrics: Metrics
  readonly onEvent: (event: RelayEvent) => void
  /** The room is empty and settled, or has failed: forget it. */
  readonly onDone: () => void
}

/**
 * One room in memory: the pure `Room`, its log and its connections. Whatever fails in here ends this room
 * alone; it is loaded anew when somebody comes back.
 */
export class RoomHost {
  private readonly peers = new Map<MemberId, Peer>()
  private idleTimer: ReturnType<typeof setTimeout> | undefined
  private done = false
  private flushing: ReturnType<typeof setImmediate> | undefined
  private writes: Promise<unknown> = Promise.resolve()

  private constructor(
    private readonly name: string,
    private readonly room: Room,
    private readonly options: RoomHostOptions,
  ) {}

  /** @throws RelayError `room-corrupt` */
  static async load(name: string, options: RoomHostOptions): Promise<RoomHost> {
    const { relayId, limits, log } = options
    const logged = await log.load(name)
    try {
      const room = new Room({ relayId, ...limits }, logged)
      const host = new RoomHost(name, room, options)
      host.compact()
      return host
    } catch (cause) {
      throw new RelayError(
        'room-corrupt',
        `the log of room "${name}" holds something that is not an update`,
        {
          cause,
        },
      )
    }
  }

  /** Adds a connection; false if the room has just ended and must be loaded again. */
  join(peer: Peer, skein: boolean): boolean {
    if (this.done) return false
    clearTimeout(this.idleTimer)
    this.peers.set(peer.id, peer)
    this.run(() => this.room.join(performance.now(), peer.id, skein))
    return true
  }

  receive(id: MemberId, frame: Uint8Array): void {
    this.run(() => this.room.receive(performance.now(), id, frame))
    // After all sockets that can be read now: the batch grows with the load and waits for nothing.
    if (this.room.hasBatch) this.flushing ??= setImmediate(() => this.flushBatch())
  }

  /** A connection that was congested has drained. */
  relieved(id: MemberId): void {
    this.run(() => this.room.relieved(performance.now(), id))
  }

  leave(id: MemberId): void {
    if (!this.peers.delete(id)) return
    this.run(() => this.room.leave(performance.now(), id))
    if (this.room.memberCount === 0) this.evictLater()
  }

  /** Call about every second. */
  tick(nowMs: number): void {
    const { deadline } = this.room
    if (deadline !== undefined && deadline <= nowMs) this.run(() => this.room.timeout(nowMs))
  }

  /** Starts the idle clock. */
  private evictLater(): void {
    clearTimeout(this.idleTimer)
    this.idleTimer = setTimeout(() => this.evict(), this.options.limits.idleRoomMs)
    this.idleTimer.unref()
  }

  /** Resolves when everything taken in so far is on disk, or has been given up. */
  async flush(): Promise<void> {
    clearTimeout(this.idleTimer)
    this.flushBatch()
    await this.writes
  }

  private flushBatch(): void {
    if (this.flushing !== undefined) clearImmediate(this.flushing)
    this.flushing = undefined
    this.run(() => this.room.flush(performance.now()))
  }

  private evict(): void {
    if (this.done || this.room.memberCount > 0) return
    if (!this.room.settled) {
      this.evictLater()
      return
    }
    this.end()
  }

  private run(step: () => RoomEffects): void {
    if (this.done) return
    let effects: RoomEffects
    try {
      effects = step()
    } catch (error) {
      this.options.onEvent({ kind: 'room-failed', room: this.name, error })
      this.closeAll(CLOSE.spaceUnavailable, 'the relay failed on this space; it will load it again')
      return
    }
    // The write is started first and the frames leave while the disk works; only acknowledgements wait.
    if (effects.persist.length > 0) void this.persist(effects)
    for (const { to, frame } of effects.send) {
      let made: Buffer | undefined
      const wire = () => {
        made ??= wireFrame(frame)
        return made
      }
      for (const id of to) this.sendTo(id, frame, wire)
    }
    for (const { member, code, reason } of effects.close) {
      this.options.onEvent({ kind: 'client-closed', room: this.name, code, reason })
      this.peers.get(member)?.close(code, reason)
    }
  }

  private sendTo(id: MemberId, frame: Uint8Array, wire: () => Buffer): void {
    const peer = this.peers.get(id)
    if (peer === undefined) return
    peer.send(frame, wire)
    if (peer.congested) this.room.congestion(id)
  }

  private async persist({ persist }: RoomEffects): Promise<void> {
    const { log, metrics, onEvent } = this.options
    const end = metrics.commitSeconds.startTimer()
    metrics.updatesLogged.inc(persist.length)
    const write = log.append(this.name, persist)
    this.writes = Promise.allSettled([this.writes, write])
    try {
      await write
      end()
    } catch (error) {
      metrics.writeFailures.inc()
      if (this.done) return
      onEvent({ kind: 'write-failed', room: this.name, error })
      // What is in memory is ahead of the disk now. Members come back to what the disk has, and bring the
      // rest with them.
      this.closeAll(CLOSE.tryLater, 'the relay cannot write to its disk; nothing was confirmed')
      return
    }
    this.run(() => this.room.committed(performance.now(), persist[persist.length - 1]!.position))
    this.compact()
  }

  private compact(): void {
    const snapshot = this.room.compaction()
    if (snapshot === undefined) return
    const { log, onEvent } = this.options
    const write = log.replace(this.name, snapshot.position, snapshot.update).catch((error: unknown) => {
      onEvent({ kind: 'compaction-failed', room: this.name, error })
    })
    this.writes = Promise.allSettled([this.writes, write])
  }

  private closeAll(code: number, reason: string): void {
    this.end()
    for (const peer of this.peers.values()) peer.close(code, reason)
    this.peers.clear()
  }

  private end(): void {
    this.done = true
    clearTimeout(this.idleTimer)
    this.options.onDone()
  }
}
