import {
  agreedVersion,
  CLOSE,
  decodeFrame,
  decodeStateVector,
  encodeFrame,
  encodeStateVector,
  type HelloMessage,
  LIMITS,
  type Message,
  PROTOCOL_VERSION,
  ProtocolError,
  type RejectCode,
  type UnknownMessage,
  writeAwarenessEntries,
} from '@skein/protocol'
import * as Y from 'yjs'
import { Coverage } from './coverage.js'
import { mergeUpdates } from './merge.js'
import { RoomContent } from './room-content.js'
import { Effects, type MemberId, type PersistedUpdate, type RoomEffects } from './room-effects.js'
import { RoomPresence } from './room-presence.js'

export interface RoomOptions {
  readonly relayId: string
  readonly frameBytesMax: number
  readonly updateBytesMax: number
}

/** Each member hears something at least this often, give or take the half: stock clients give up after 30 s. */
export const KEEP_ALIVE_MS = 10_000

interface Member {
  lastSentMs: number
  /** Set while its connection is congested: the state vector of what it was sent before. */
  stale: Uint8Array | undefined
  /** A step 1 that came while it was congested, to be answered when it has drained. */
  step1: Uint8Array | undefined
  /** Numbered updates whose log position is not on disk yet, oldest first. */
  readonly waiting: { readonly seq: number; readonly position: number }[]
}

/**
 * A relay's side of one space: takes frames of its members, says what to log, to send and to close. It
 * keeps the updates as bytes and never builds a Y.Doc. Rules: SPEC.md, R1 to R17.
 */
export class Room {
  private readonly members = new Map<MemberId, Member>()
  private readonly coverage = new Coverage()
  private readonly presence = new RoomPresence()
  private readonly content = new RoomContent()
  /** Updates that came in since the last flush. */
  private batch: { readonly from: MemberId; readonly update: Uint8Array }[] = []
  private position = 0
  private committedPosition = 0
  private nextSweepMs: number | undefined

  /**
   * @param logged what the log holds, oldest first
   * @throws ProtocolError where one of them is not an update
   */
  constructor(
    private readonly options: RoomOptions,
    logged: readonly PersistedUpdate[],
  ) {
    for (const { position, update } of logged) {
      this.coverage.add(update, Number.POSITIVE_INFINITY)
      this.content.add(update)
      this.position = position
    }
    this.committedPosition = this.position
  }

  get memberCount(): number {
    return this.members.size
  }

  /** The log position of the last update that came in. */
  get lastPosition(): number {
    return this.position
  }

  /** Whether everything that came in is on disk. */
  get settled(): boolean {
    return this.committedPosition === this.position && !this.hasBatch
  }

  /** Whether updates wait for `flush`. Call it before going idle, once for all frames that are at hand. */
  get hasBatch(): boolean {
    return this.batch.length > 0
  }

  /** When `timeout` wants to be called; undefined while nobody is here. */
  get deadline(): number | undefined {
    return this.nextSweepMs
  }

  /** Everything the room holds, as one update; what waits for `flush` is not part of it yet. */
  state(): Uint8Array {
    return this.content.state()
  }

  /**
   * One update to put in the place of everything the log holds, where that has become worth it. Ask when
   * the room is settled; the log then holds one entry.
   */
  compaction(): PersistedUpdate | undefined {
    const update = this.settled ? this.content.compaction() : undefined
    return update === undefined ? undefined : { position: this.position, update }
  }

  /** A connection was made. `skein`: its URL offers Skein. */
  join(nowMs: number, id: MemberId, skein: boolean): RoomEffects {
    const effects = new Effects()
    this.members.set(id, { lastSentMs: nowMs, stale: undefined, step1: undefined, waiting: [] })
    this.nextSweepMs ??= nowMs + KEEP_ALIVE_MS
    if (skein) effects.sendTo([id], encodeFrame(this.hello()))
    const stateVector = encodeStateVector(this.coverage.stateVector())
    effects.sendTo([id], encodeFrame({ type: 'sync-step-1', stateVector }))
    const present = this.presence.all()
    if (present !== undefined) effects.sendTo([id], encodeFrame({ type: 'awareness', update: present }))
    return effects
  }

  /** A frame arrived. Whatever it holds, only its sender can suffer from it. */
  receive(nowMs: number, id: MemberId, frame: Uint8Array): RoomEffects {
    const member = this.members.get(id)
    const effects = new Effects()
    if (member === undefined) return effects
    try {
      this.handle(nowMs, id, member, decodeFrame(frame), effects)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      effects.close.push({ member: id, code: CLOSE.malformedFrame, reason: error.message })
    }
    this.noteSent(nowMs, effects)
    return effects
  }

  /**
   * Logs and forwards what came in since the last time: one update as it is, several merged into one,
   * so that each member gets one frame and the log one entry.
   */
  flush(nowMs: number): RoomEffects {
    const effects = new Effects()
    const { batch } = this
    if (batch.length === 0) return effects
    this.batch = []
    const update = mergeUpdates(batch.map((entry) => entry.update))
    this.position++
    this.content.add(update)
    effects.persist.push({ position: this.position, update })
    // Who sent all of it needs none of it; who sent a part gets it back with the rest, which is harmless.
    const { from } = batch[0]!
    const author = batch.every((entry) => entry.from === from) ? from : undefined
    this.sendToOthers(author, encodeFrame({ type: 'update', update }), effects)
    this.noteSent(nowMs, effects)
    return effects
  }

  /**
   * A member's connection takes bytes more slowly than updates come. It gets none from now on, so that
   * what waits for it stays bounded, and nobody waits for it.
   */
  congestion(id: MemberId): void {
    const member = this.members.get(id)
    if (member === undefined || member.stale !== undefined) return
    // Not from the coverage if a batch waits: that knows it already, and the member was not sent it.
    member.stale = this.hasBatch
      ? Y.encodeStateVectorFromUpdate(this.state())
      : encodeStateVector(this.coverage.stateVector())
  }

  /** A member's connection has drained: it gets all that it missed as one update. */
  relieved(nowMs: number, id: MemberId): RoomEffects {
    const effects = new Effects()
    const member = this.members.get(id)
    if (member?.stale === undefined) return effects
    const { stale, step1 } = member
    member.stale = undefined
    member.step1 = undefined
    if (step1 === undefined) effects.sendTo([id], encodeFrame({ type: 'update', update: this.diff(stale) }))
    else effects.sendTo([id], encodeFrame({ type: 'sync-step-2', update: this.diff(step1) }))
    const present = this.presence.all()
    if (present !== undefined) effects.sendTo([id], encodeFrame({ type: 'awareness', update: present }))
    this.noteSent(nowMs, effects)
    return effects
  }

  /** A connection is closed. */
  leave(nowMs: number, id: MemberId): RoomEffects {
    const effects = new Effects()
    if (!this.members.delete(id)) return effects
    if (this.members.size === 0) this.nextSweepMs = undefined
    const gone = this.presence.memberLeft(nowMs, id)
    if (gone !== undefined) this.sendToOthers(id, encodeFrame({ type: 'awareness', update: gone }), effects)
    this.noteSent(nowMs, effects)
    return effects
  }

  /** Everything up to this position is on disk. */
  committed(nowMs: number, position: number): RoomEffects {
    const effects = new Effects()
    this.committedPosition = Math.max(this.committedPosition, position)
    for (const [id, member] of this.members) this.acknowledge(id, member, effects)
    this.noteSent(nowMs, effects)
    return effects
  }

  /** `deadline` has come: a sign of life for members that heard nothing for a while. */
  timeout(nowMs: number): RoomEffects {
    const effects = new Effects()
    if (this.nextSweepMs === undefined || nowMs < this.nextSweepMs) return effects
    this.nextSweepMs = nowMs + KEEP_ALIVE_MS
    this.presence.forget(nowMs)
    const idle: MemberId[] = []
    for (const [id, member] of this.members) {
      if (nowMs - member.lastSentMs >= KEEP_ALIVE_MS / 2) idle.push(id)
    }
    effects.sendTo(idle, KEEP_ALIVE_FRAME)
    this.noteSent(nowMs, effects)
    return effects
  }

  private handle(
    nowMs: number,
    id: MemberId,
    member: Member,
    message: Message | UnknownMessage,
    effects: Effects,
  ): void {
    switch (message.type) {
      case 'sync-step-1':
        if (member.stale !== undefined) {
          decodeStateVector(message.stateVector)
          member.step1 = message.stateVector.slice()
          return
        }
        effects.sendTo([id], encodeFrame({ type: 'sync-step-2', update: this.diff(message.stateVector) }))
        return
      case 'sync-step-2':
      case 'update':
        this.update(id, message.update, (code, reason) => {
          const closeCode = code === 'too-large' ? CLOSE.frameTooLarge : CLOSE.malformedUpdate
          effects.close.push({ member: id, code: closeCode, reason })
        })
        return
      case 'numbered-update':
        this.numberedUpdate(id, member, message.seq, message.update, effects)
        return
      case 'awareness': {
        const accepted = this.presence.receive(nowMs, id, message.update)
        if (accepted !== undefined) {
          this.sendToOthers(id, encodeFrame({ type: 'awareness', update: accepted }), effects)
        }
        return
      }
      case 'query-awareness': {
        const update = this.presence.all()
        if (update !== undefined) effects.sendTo([id], encodeFrame({ type: 'awareness', update }))
        return
      }
      case 'hello':
        if (agreedVersion(message, this.hello()) === undefined) {
          const reason = `this relay speaks version ${PROTOCOL_VERSION}, the agent ${message.versionMin} to ${message.versionMax}`
          effects.close.push({ member: id, code: CLOSE.noCommonVersion, reason })
        }
        return
      case 'ping':
        effects.sendTo([id], encodeFrame({ type: 'pong', pingSentAtUs: message.sentAtUs }))
        return
      // What only a relay sends, and what this version does not know, is skipped.
      case 'auth-denied':
      case 'ack':
      case 'reject':
      case 'pong':
      case 'unknown':
        return
    }
  }

  private numberedUpdate(
    id: MemberId,
    member: Member,
    seq: number,
    update: Uint8Array,
    effects: Effects,
  ): void {
    const taken = this.update(id, update, (code, reason) => {
      effects.sendTo([id], encodeFrame({ type: 'reject', seq, code, reason }))
    })
    if (!taken) return
    // Also where it brought nothing new: what it repeats may still be on its way to the disk.
    member.waiting.push({ seq, position: this.hasBatch ? this.position + 1 : this.position })
    this.acknowledge(id, member, effects)
  }

  /** Takes an update into the batch if it brings anything new. False where it is refused. */
  private update(
    from: MemberId,
    update: Uint8Array,
    refuse: (code: RejectCode, reason: string) => void,
  ): boolean {
    if (update.length > this.options.updateBytesMax) {
      refuse('too-large', `update of ${update.length} bytes, this relay takes ${this.options.updateBytesMax}`)
      return false
    }
    if (this.isFull(update.length)) {
      refuse(
        'too-large',
        `this space would be over ${CONTENT_BYTES_MAX} bytes, more than a joiner can be sent`,
      )
      return false
    }
    let isNew: boolean
    try {
      isNew = this.coverage.add(update)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      refuse(error.code === 'too-large' ? 'too-large' : 'malformed', error.message)
      return false
    }
    if (!isNew) return true
    // A copy: the view would keep the socket's whole receive buffer alive.
    this.batch.push({ from, update: update.slice() })
    return true
  }

  /** Whether so many bytes more would make the space too large to be sent to a joiner as one step 2. */
  private isFull(moreBytes: number): boolean {
    const waiting = this.batch.reduce((sum, { update }) => sum + update.length, moreBytes)
    if (this.content.bytes + waiting <= CONTENT_BYTES_MAX) return false
    return this.state().length + waiting > CONTENT_BYTES_MAX
  }

  private acknowledge(id: MemberId, member: Member, effects: Effects): void {
    let count = 0
    while (count < member.waiting.length && member.waiting[count]!.position <= this.committedPosition) count++
    // Rejected numbers leave gaps, so each run of neighbours is one range.
    for (let i = 0; i < count; ) {
      const from = member.waiting[i]!.seq
      let to = from
      for (i++; i < count && member.waiting[i]!.seq === to + 1; i++) to++
      effects.sendTo([id], encodeFrame({ type: 'ack', from, to, tier: 'relay' }))
    }
    member.waiting.splice(0, count)
  }

  private diff(stateVector: Uint8Array): Uint8Array {
    decodeStateVector(stateVector)
    return Y.diffUpdate(this.state(), stateVector)
  }

  private sendToOthers(from: MemberId | undefined, frame: Uint8Array, effects: Effects): void {
    const others: MemberId[] = []
    for (const [id, { stale }] of this.members) if (id !== from && stale === undefined) others.push(id)
    effects.sendTo(others, frame)
  }

  private noteSent(nowMs: number, effects: Effects): void {
    for (const { to } of effects.send) {
      for (const id of to) {
        const member = this.members.get(id)
        if (member !== undefined) member.lastSentMs = nowMs
      }
    }
  }

  private hello(): HelloMessage {
    return {
      type: 'hello',
      versionMin: PROTOCOL_VERSION,
      versionMax: PROTOCOL_VERSION,
      id: this.options.relayId,
      frameBytesMax: this.options.frameBytesMax,
      updateBytesMax: this.options.updateBytesMax,
      features: [],
    }
  }
}

/** Largest content of a space: a joiner gets all of it in one frame. */
const CONTENT_BYTES_MAX = LIMITS.updateBytesMax

/** Awareness of nobody: what stock clients take as a sign of life. */
const KEEP_ALIVE_FRAME = encodeFrame({ type: 'awareness', update: writeAwarenessEntries([]) })
