import { decodeFrame, encodeFrame, type NumberedUpdateMessage, scanUpdate } from '@skein/protocol'
import { type AnswerRequest, type PersistedUpdate, RangeSet, type RoomEffects } from '@skein/sync'
import * as Y from 'yjs'
import { frameHead } from './frames.js'
import type { Server, Socket } from './socket.js'
import type { SyncModule } from './sync-module.js'
import { Timer } from './timer.js'
import type { MultipathWorld } from './world.js'

/** A connection as a relay's room sees it. */
export interface Peer {
  send(frame: Uint8Array): void
  /** The room does not want it any more. */
  close(code: number, reason: string): void
  readonly isAgent: boolean
  /** Bytes that wait to be sent. */
  readonly buffered: number
}

export interface RelayOptions {
  /** Its name in the mesh, if it is of one. */
  readonly isInMesh: boolean
  /** A plain y-websocket server says no hello, and knows nothing of Skein. */
  readonly isPlain: boolean
  readonly epoch: string
  /** How long its disk takes. */
  readonly diskMs: number
  /** How long answers to a step 1 take. */
  readonly answerMs: number
}

/** What a relay does that is not honest: shares of what agents send, and are sent, from 0 to 1. */
export interface Lies {
  /** Acknowledged and not taken in. */
  readonly dropped: number
  /** Not handed on to agents. */
  readonly withheld: number
}

/** What is due sooner than this does not wait for the tick. */
const NEWS_WITHIN_MS = 200
const TICK_MS = 1_000
/** Pieces of content are merged when there are more. */
const PIECES_MAX = 64
const EMPTY_UPDATE = Uint8Array.of(0, 0)
/** Bytes waiting for a member from which it is congested, until half of it has gone. */
const CONGESTED_BYTES = 64 * 1024
const DRAIN_CHECK_MS = 20

type Room = InstanceType<SyncModule['Room']>
type Index = InstanceType<SyncModule['RoomIndex']>

/** A relay with one room: what `packages/relay` is around it, on virtual disks and connections. */
export class Relay implements Server {
  room: Room | undefined
  index: Index | undefined
  lies: Lies | undefined
  /** How much slower its disk is now. */
  diskFactor = 1
  /** What is on its disk, as ranges of clocks. */
  readonly durable = { structs: new RangeSet(), deleted: new RangeSet() }
  resetsStrangers = true
  startedMs = 0
  private disk: PersistedUpdate[] = []
  private diskEpoch = ''
  private unflushed: PersistedUpdate[] = []
  private unflushedEpoch = ''
  private pieces: Uint8Array[] = []
  private readonly peers = new Map<number, Peer>()
  private readonly members = new Map<Socket, number>()
  private readonly congested = new Set<number>()
  private flushTimer: Timer | undefined
  private diskTimer: Timer | undefined
  private diskAtMs = 0
  private roomTimer: Timer | undefined
  private roomTimerMs = Number.POSITIVE_INFINITY

  constructor(
    private readonly world: MultipathWorld,
    readonly name: string,
    private readonly options: RelayOptions,
  ) {}

  get isUp(): boolean {
    return this.room !== undefined
  }

  start(): void {
    if (this.room !== undefined) return
    const { world, options, name } = this
    const { sync } = world
    const index = new sync.RoomIndex()
    this.index = index
    for (const entry of this.disk) index.add(entry)
    this.pieces = this.disk.map(({ update }) => update)
    const cluster = {
      self: name,
      isShared: true,
      configuration: '1',
      isQuorum: (ids: ReadonlySet<string>) => ids.size >= 2,
    }
    this.resetsStrangers = true
    this.startedMs = world.events.nowMs
    this.room = new sync.Room(
      {
        relayId: name,
        frameBytesMax: 1 << 20,
        updateBytesMax: 1 << 24,
        spaceBytesMax: 1 << 28,
        inboundBudget: new sync.ByteBudget(1 << 26),
        newEpoch: options.epoch,
        ...(options.isInMesh ? { cluster } : {}),
      },
      index,
      this.diskEpoch,
    )
    world.log?.(`${name} is up, at position ${index.position}`)
  }

  /** Ends without a warning. @param isSilent nobody is told, as when a machine loses its power */
  kill(isSilent: boolean): void {
    if (this.room === undefined) return
    this.world.log?.(`${this.name} is killed${isSilent ? ' silently' : ''}`)
    this.room = this.index = undefined
    this.resetsStrangers = !isSilent
    this.unflushed = []
    this.unflushedEpoch = ''
    this.congested.clear()
    for (const timer of [this.flushTimer, this.diskTimer, this.roomTimer]) timer?.cancel()
    this.flushTimer = this.diskTimer = this.roomTimer = undefined
    this.roomTimerMs = Number.POSITIVE_INFINITY
    for (const socket of this.members.keys()) {
      if (isSilent) socket.abandon()
      else socket.end(1006, '')
    }
    this.members.clear()
    this.peers.clear()
  }

  /** What it was given before the world began. */
  preload(update: Uint8Array, epoch: string): void {
    this.disk.push({ position: this.disk.length + 1, update })
    this.diskEpoch = epoch
    this.noteDurable(update)
  }

  accept(socket: Socket): 'accepted' | 'refused' | 'silent' {
    if (this.room === undefined) return this.resetsStrangers ? 'refused' : 'silent'
    socket.serve()
    const member = this.world.nextMember()
    this.members.set(socket, member)
    this.join(member, {
      isAgent: true,
      send: (frame) => socket.deliver(frame),
      close: (code, reason) => {
        socket.end(code, reason)
        this.left(socket)
      },
      get buffered() {
        return socket.serverBuffered
      },
    })
    return 'accepted'
  }

  receive(socket: Socket, frame: Uint8Array): void {
    const member = this.members.get(socket)
    if (member !== undefined) this.receiveFrom(member, this.tampered(socket.path.owner, frame))
  }

  left(socket: Socket): void {
    const member = this.members.get(socket)
    if (member === undefined) return
    this.members.delete(socket)
    this.leave(member)
  }

  /** @param relay the other relay whose room it is */
  join(member: number, peer: Peer, relay?: string): void {
    this.peers.set(member, peer)
    this.run((room, nowMs) => room.join(nowMs, member, !this.options.isPlain, relay))
  }

  receiveFrom(member: number, frame: Uint8Array): void {
    this.run((room, nowMs) => room.receive(nowMs, member, frame))
    if (!this.room?.hasBatch) return
    // With what else is at hand.
    const { world } = this
    this.flushTimer ??= new Timer(world.events, world.random.pick([0, 0, 1]), () => {
      this.flushTimer = undefined
      this.run((room, nowMs) => room.flush(nowMs))
    })
  }

  leave(member: number): void {
    this.peers.delete(member)
    this.congested.delete(member)
    this.run((room, nowMs) => room.leave(nowMs, member))
  }

  /** Whether a document with this digest holds just what it holds. */
  holds(digest: string): boolean {
    if (this.index?.digest() === digest) return true
    // It may not know of deletions that follow from what it holds.
    const doc = new Y.Doc()
    for (const piece of this.pieces) Y.applyUpdate(doc, piece)
    return this.world.sync.documentDigest(doc) === digest
  }

  /** Everything that it took in is on its disk. */
  get isSettled(): boolean {
    return this.room?.settled === true
  }

  private run(step: (room: Room, nowMs: number) => RoomEffects): void {
    const { room, world } = this
    if (room === undefined) return
    const effects = step(room, world.events.nowMs)
    if (effects.persist.length > 0 || effects.epoch !== undefined) this.persist(effects)
    if (effects.hurry) this.flushDiskAfter(1)
    for (const { to, frame } of effects.send) for (const member of to) this.sendTo(member, frame)
    for (const { member, code, reason } of effects.close) {
      world.checks.closedByRoom(this, code, reason)
      this.peers.get(member)?.close(code, reason)
    }
    for (const member of effects.more) {
      world.events.after(0, () => {
        if (this.room === room && !this.congested.has(member)) this.writable(member)
      })
    }
    for (const request of effects.answers) this.answer(room, request)
    this.arm()
  }

  private writable(member: number): void {
    this.run((room, nowMs) => room.writable(nowMs, member))
  }

  private sendTo(member: number, frame: Uint8Array): void {
    const peer = this.peers.get(member)
    if (peer === undefined || this.isWithheld(peer, frame)) return
    peer.send(frame)
    if (peer.buffered <= CONGESTED_BYTES || this.congested.has(member)) return
    this.congested.add(member)
    this.room!.congestion(member)
    this.world.events.after(DRAIN_CHECK_MS, () => this.checkDrained(member, peer))
  }

  private checkDrained(member: number, peer: Peer): void {
    if (this.peers.get(member) !== peer) return
    if (peer.buffered > CONGESTED_BYTES / 2) {
      this.world.events.after(DRAIN_CHECK_MS, () => this.checkDrained(member, peer))
      return
    }
    this.congested.delete(member)
    this.writable(member)
  }

  private persist({ persist, epoch }: RoomEffects): void {
    const { options } = this
    this.unflushed.push(...persist)
    if (epoch !== undefined) this.unflushedEpoch = epoch
    for (const { update } of persist) this.pieces.push(update)
    if (this.pieces.length > PIECES_MAX) this.pieces = [this.world.sync.mergeUpdates(this.pieces)]
    if (this.diskTimer === undefined) {
      this.flushDiskAfter(options.diskMs * this.diskFactor * this.world.random.between(0.5, 1.5))
    }
  }

  private flushDiskAfter(afterMs: number): void {
    const atMs = this.world.events.nowMs + afterMs
    if (this.unflushed.length === 0 || (this.diskTimer !== undefined && this.diskAtMs <= atMs)) return
    this.diskTimer?.cancel()
    this.diskAtMs = atMs
    this.diskTimer = new Timer(this.world.events, afterMs, () => this.flushDisk())
  }

  private flushDisk(): void {
    this.diskTimer = undefined
    const { unflushed } = this
    this.disk.push(...unflushed)
    this.unflushed = []
    if (this.unflushedEpoch !== '') this.diskEpoch = this.unflushedEpoch
    for (const { update } of unflushed) this.noteDurable(update)
    this.run((room, nowMs) => room.committed(nowMs, this.disk.at(-1)!.position))
  }

  private noteDurable(update: Uint8Array): void {
    const { structs, deleted } = this.durable
    scanUpdate(update, {
      structs: (client, clock, length) => void structs.add(client, clock, length),
      deletion: (client, clock, length) => void deleted.add(client, clock, length),
    })
  }

  private answer(room: Room, request: AnswerRequest): void {
    const { world, options } = this
    const frames = world.sync.answerFrames(this.pieces, request)
    const answered = () => {
      if (this.room === room) this.run((current, nowMs) => current.answered(nowMs, request.member, frames))
    }
    if (options.answerMs === 0) answered()
    else world.events.after(world.random.between(0, options.answerMs), answered)
  }

  private arm(): void {
    const { world } = this
    const deadlineMs = this.room?.deadline
    if (deadlineMs === undefined || deadlineMs >= this.roomTimerMs) return
    const { nowMs } = world.events
    const isNear = deadlineMs <= nowMs + NEWS_WITHIN_MS
    this.roomTimer?.cancel()
    this.roomTimerMs = deadlineMs
    const lateMs = isNear ? 1 : world.random.between(0, TICK_MS)
    this.roomTimer = new Timer(world.events, Math.max(0, deadlineMs - nowMs) + lateMs, () => {
      this.roomTimerMs = Number.POSITIVE_INFINITY
      this.run((room, laterMs) => room.timeout(laterMs))
    })
  }

  /** A liar acknowledges what it has thrown away. */
  private tampered(author: number, frame: Uint8Array): Uint8Array {
    const { lies, world } = this
    if (lies === undefined || frameHead(frame).type !== 'numbered-update') return frame
    if (!world.random.chance(lies.dropped)) return frame
    const message = decodeFrame(frame) as NumberedUpdateMessage
    world.log?.(`${this.name} drops update ${message.seq}`)
    world.checks.dropped(author)
    return encodeFrame({ ...message, update: EMPTY_UPDATE })
  }

  private isWithheld({ isAgent }: Peer, frame: Uint8Array): boolean {
    const { lies, world } = this
    return (
      isAgent &&
      lies !== undefined &&
      frameHead(frame).type === 'update' &&
      world.random.chance(lies.withheld)
    )
  }
}
