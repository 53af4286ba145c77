import { CLOSE } from '@skein/protocol'
import {
  type AnswerRequest,
  type ByteBudget,
  type MemberId,
  Room,
  type RoomEffects,
  RoomIndex,
} from '@skein/sync'
import type { LogEntry } from './compaction/plan.js'
import { RoomCompaction } from './compaction/room-compaction.js'
import type { Workers } from './compaction/workers.js'
import { RelayError } from './errors.js'
import type { Log, LoggedUpdate } from './log/log.js'
import type { Mesh } from './mesh/mesh.js'
import type { Metrics } from './metrics.js'
import type { RelayEvent, RelayLimits } from './options.js'
import { RoomContent } from './room-content.js'
import type { StrongSpaces } from './strong/spaces.js'
import { wireFrame } from './wire-frame.js'

/** A connection as a room sees it. */
export interface Peer {
  readonly id: MemberId
  /** `wire` gives the same message as the bytes of one WebSocket frame, made once for all who ask. */
  send(message: Uint8Array, wire: () => Buffer): void
  /** Whether it takes bytes too slowly. When it has drained, `writable` of the room host is called. */
  readonly congested: boolean
  /** Whether somebody waits for what it writes to be on disk. */
  readonly urgent: boolean
  /** Whether it is here on a walk of this relay's own: the room is not kept for it. */
  readonly isVisitor?: true
  close(code: number, reason: string): void
}

export interface RoomHostOptions {
  readonly relayId: string
  readonly limits: RelayLimits
  readonly log: Log
  readonly workers: Workers
  readonly inboundBudget: ByteBudget
  readonly metrics: Metrics
  readonly strong: StrongSpaces | undefined
  readonly mesh: Mesh
  readonly onEvent: (event: RelayEvent) => void
  /** The room is empty and settled, or has failed: forget it. */
  readonly onDone: () => void
}

/** What is due sooner than this does not wait for the tick. */
const NEWS_WITHIN_MS = 200

/** How long a room stays that was only looked at, or that another relay has brought. */
const VISITED_MS = 100

/** A room whose log is larger is not kept in memory after it was read. */
const KEEP_BYTES_MAX = 16 * 1024 * 1024

/**
 * One room in memory: the pure `Room`, its log, content and connections. Whatever fails in here ends this
 * room alone; it is loaded anew when somebody comes back.
 */
export class RoomHost {
  private readonly peers = new Map<MemberId, Peer>()
  private readonly compaction: RoomCompaction
  private idleTimer: ReturnType<typeof setTimeout> | undefined
  private done = false
  private flushing: ReturnType<typeof setImmediate> | undefined
  private newsTimer: ReturnType<typeof setTimeout> | undefined
  private urgent = false
  private writes: Promise<unknown> = Promise.resolve()
  /** Somebody asked for it who may come back: no visitor, and no other relay. */
  private wasAskedFor = false
  private readonly loadedPosition: number

  private constructor(
    private readonly name: string,
    private readonly room: Room,
    readonly content: RoomContent,
    private readonly options: RoomHostOptions,
  ) {
    this.loadedPosition = room.lastPosition
    this.compaction = new RoomCompaction(
      name,
      options.log,
      options.workers,
      ({ kind, upTo, update, bytesLess }) => {
        room.compacted(bytesLess)
        if (kind === 'rewrite') content.rewritten(upTo, update)
      },
      (error) => options.onEvent({ kind: 'compaction-failed', room: name, error }),
    )
  }

  /** @throws RelayError `room-corrupt` */
  static async load(name: string, options: RoomHostOptions): Promise<RoomHost> {
    const { relayId, limits, log, workers, inboundBudget, strong, mesh } = options
    const index = new RoomIndex()
    const epoch = await log.epochOf(name)
    const sizes: LogEntry[] = []
    let kept: LoggedUpdate[] | undefined = []
    for await (const entry of log.load(name)) {
      addTo(index, entry, name)
      sizes.push(sizeOf(entry))
      kept?.push(entry)
      if (index.bytes > KEEP_BYTES_MAX) kept = undefined
    }
    const newEpoch = mesh.epochOf(name) ?? globalThis.crypto.randomUUID()
    const room = new Room(
      {
        relayId,
        ...limits,
        inboundBudget,
        newEpoch,
        cluster: mesh.forRooms,
        ...(strong === undefined ? {} : { isStrong: (key) => strong.isStrong(name, key) }),
      },
      index,
      epoch,
    )
    const host = new RoomHost(name, room, new RoomContent(name, log, workers, kept), options)
    host.compaction.logged(sizes)
    return host
  }

  /**
   * Adds a connection; false if the room has just ended and must be loaded again.
   * @param relay the other relay whose room of this space it is
   */
  join(peer: Peer, skein: boolean, relay?: string): boolean {
    if (this.done) return false
    // Other relays do not keep it: rooms would hold each other in memory for good, each for the other's link.
    if (relay === undefined) clearTimeout(this.idleTimer)
    this.peers.set(peer.id, peer)
    if (relay === undefined && !peer.isVisitor) {
      this.wasAskedFor = true
      // Not waited for: without a quorum the room would never be there.
      this.options.strong?.learn(this.name)
    }
    this.run(() => this.room.join(performance.now(), peer.id, skein, relay))
    if (relay === undefined) this.options.mesh.want(this.name, this)
    return true
  }

  receive(id: MemberId, frame: Uint8Array): void {
    this.run(() => this.room.receive(performance.now(), id, frame))
    if (!this.room.hasBatch) return
    if (this.peers.get(id)?.urgent) this.urgent = true
    // After all sockets that can be read now: the batch grows with the load and waits for nothing.
    this.flushing ??= setImmediate(() => this.flushBatch())
  }

  /** A connection that was congested, or has more to come, takes more. */
  writable(id: MemberId): void {
    this.run(() => this.room.writable(performance.now(), id))
  }

  leave(id: MemberId): void {
    if (!this.peers.delete(id)) return
    this.run(() => this.room.leave(performance.now(), id))
    if (this.room.ownMemberCount === 0) this.evictLater()
  }

  /** Whether another relay has all of it on disk; undefined where its room is not linked. */
  isAt(relay: string): boolean | undefined {
    return this.done ? undefined : this.room.isAt(relay)
  }

  /** Other relays make up the cluster now. */
  clusterChanged(): void {
    this.run(() => this.room.clusterChanged(performance.now()))
  }

  /** Whether it took in anything since it was loaded. */
  get hasChanged(): boolean {
    return this.room.lastPosition > this.loadedPosition
  }

  /** Call about every second. */
  tick(nowMs: number): void {
    const { deadline } = this.room
    if (deadline !== undefined && deadline <= nowMs) this.run(() => this.room.timeout(nowMs))
    if (this.room.settled) this.compaction.check(nowMs)
  }

  /** Starts the idle clock. */
  private evictLater(): void {
    clearTimeout(this.idleTimer)
    // One that nobody asked for here does not wait for those who may come back.
    const afterMs = this.wasAskedFor ? this.options.limits.idleRoomMs : VISITED_MS
    this.idleTimer = setTimeout(() => void this.evict(), afterMs)
    this.idleTimer.unref()
  }

  /** Resolves when everything taken in so far is on disk, or has been given up. */
  async flush(): Promise<void> {
    clearTimeout(this.idleTimer)
    this.urgent = true
    this.flushBatch()
    // Also what was handed to the log before.
    this.options.log.hurry()
    await this.writes
    await this.compaction.idle()
  }

  private flushBatch(): void {
    if (this.flushing !== undefined) clearImmediate(this.flushing)
    this.flushing = undefined
    this.run(() => this.room.flush(performance.now()))
  }

  private async evict(): Promise<void> {
    if (this.isNeeded) return
    await this.compaction.finish()
    if (this.isNeeded) return
    if (!this.room.settled) {
      this.evictLater()
      return
    }
    // What others lack they get when somebody is here again, or with the next walk.
    this.options.mesh.unwant(this.name)
    // Those who hold on to it are relays with members of their own.
    if (this.room.memberCount === 0) this.end()
  }

  private get isNeeded(): boolean {
    return this.done || this.room.ownMemberCount > 0
  }

  private run(step: () => RoomEffects): void {
    if (this.done) return
    let effects: RoomEffects
    try {
      effects = step()
    } catch (error) {
      this.fail(error)
      return
    }
    // The write is started first and the frames leave while the disk works; only acknowledgements wait.
    if (effects.persist.length > 0) void this.persist(effects)
    if (effects.hurry) this.hurry()
    this.options.metrics.acknowledgements.inc(effects.acknowledgements)
    this.options.metrics.rejections.inc(effects.rejections)
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
    for (const id of effects.more) {
      // In a turn of its own: others are served between the parts of a large answer.
      setImmediate(() => {
        if (this.peers.get(id)?.congested === false) this.writable(id)
      })
    }
    for (const request of effects.answers) this.answer(request)
    this.armNews()
  }

  /** What is due before the next tick: news for members that stand by. */
  private armNews(): void {
    const { deadline } = this.room
    const nowMs = performance.now()
    if (this.newsTimer !== undefined || deadline === undefined || deadline > nowMs + NEWS_WITHIN_MS) return
    this.newsTimer = setTimeout(
      () => {
        this.newsTimer = undefined
        this.run(() => this.room.timeout(performance.now()))
      },
      Math.max(1, deadline - nowMs),
    )
    this.newsTimer.unref()
  }

  /** Somebody waits: what was taken in is flushed now, not with what comes next. */
  private hurry(): void {
    this.urgent = true
    if (!this.room.hasBatch) this.options.log.hurry()
  }

  private answer(request: AnswerRequest): void {
    let answer: ReturnType<RoomContent['answer']>
    try {
      answer = this.content.answer(request)
    } catch (error) {
      this.fail(error)
      return
    }
    const answered = (frames: readonly Uint8Array[]) =>
      this.run(() => this.room.answered(performance.now(), request.member, frames))
    if (answer instanceof Promise) answer.then(answered, (error: unknown) => this.fail(error))
    else answered(answer)
  }

  private sendTo(id: MemberId, frame: Uint8Array, wire: () => Buffer): void {
    const peer = this.peers.get(id)
    if (peer === undefined) return
    peer.send(frame, wire)
    if (peer.congested) this.room.congestion(id)
  }

  private async persist({ persist, epoch }: RoomEffects): Promise<void> {
    const { log, metrics, onEvent } = this.options
    const startMs = performance.now()
    metrics.updatesLogged.inc(persist.length)
    const { urgent } = this
    this.urgent = false
    const write = log.append(this.name, persist, { epoch, urgent })
    this.writes = Promise.allSettled([this.writes, write])
    try {
      this.content.append(persist)
      await write
      metrics.commitSeconds.observe((performance.now() - startMs) / 1000)
    } catch (error) {
      metrics.writeFailures.inc()
      if (this.done) return
      onEvent({ kind: 'write-failed', room: this.name, error })
      // What is in memory is ahead of the disk now. Members come back to what the disk has, and bring the
      // rest with them.
      this.closeAll(CLOSE.tryLater, 'the relay cannot write to its disk; nothing was confirmed')
      return
    }
    const { position } = persist.at(-1)!
    this.content.committed(position)
    this.compaction.logged(persist.map(sizeOf))
    this.run(() => this.room.committed(performance.now(), position))
    this.compaction.check(performance.now())
  }

  private fail(error: unknown): void {
    if (this.done) return
    this.options.onEvent({ kind: 'room-failed', room: this.name, error })
    this.closeAll(CLOSE.spaceUnavailable, 'the relay failed on this space; it will load it again')
  }

  private closeAll(code: number, reason: string): void {
    this.end()
    for (const [id, peer] of this.peers) {
      // It gives back what all rooms share; nobody is told any more.
      this.room.leave(performance.now(), id)
      peer.close(code, reason)
    }
    this.peers.clear()
  }

  private end(): void {
    this.done = true
    this.options.mesh.unwant(this.name)
    clearTimeout(this.idleTimer)
    clearTimeout(this.newsTimer)
    this.options.onDone()
  }
}

function sizeOf({ position, update }: LoggedUpdate): LogEntry {
  return { position, bytes: update.length }
}

function addTo(index: RoomIndex, entry: LoggedUpdate, room: string): void {
  try {
    index.add(entry)
  } catch (cause) {
    throw new RelayError('room-corrupt', `the log of room "${room}" holds something that is not an update`, {
      cause,
    })
  }
}
