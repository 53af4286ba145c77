import {
  agreedVersion,
  CHUNKS_FEATURE,
  CLOSE,
  decodeChunked,
  decodeFrame,
  decodeStateVector,
  encodeFrame,
  type HelloMessage,
  LIMITS,
  type Message,
  PROTOCOL_VERSION,
  ProtocolError,
  QUORUM_FEATURE,
  type RejectCode,
  STANDBY_FEATURE,
  STRONG_FEATURE,
  type UnknownMessage,
  writeAwarenessEntries,
} from '@skein/protocol'
import { mergeNeighbours } from './answer.js'
import { BudgetExceeded, type ByteBudget } from './chunks.js'
import { EMPTY_UPDATE } from './merge.js'
import { CatchUp } from './room-catch-up.js'
import { RoomDisks } from './room-disks.js'
import { Effects, type MemberId, type RoomEffects } from './room-effects.js'
import { RoomIndex } from './room-index.js'
import { Member } from './room-member.js'
import { clocksOf, News } from './room-news.js'
import { RoomPresence } from './room-presence.js'
import { type RelayCluster, RelayMember } from './room-relay.js'
import { STATE_MAP } from './state-value.js'

export interface RoomOptions {
  readonly relayId: string
  readonly frameBytesMax: number
  readonly updateBytesMax: number
  /** Bytes that a space's log may hold. */
  readonly spaceBytesMax: number
  /** What chunks of unfinished messages may hold, shared by all rooms of a relay. */
  readonly inboundBudget: ByteBudget
  /** The epoch of a space that has none. */
  readonly newEpoch: string
  /**
   * Whether a key of the shared state is strong, by what is known when it is asked. Left out: none is, and the
   * relay takes no strong requests.
   */
  readonly isStrong?: (key: string) => boolean
  /** The cluster that the relay belongs to. */
  readonly cluster?: RelayCluster
}

/** A member whose URL offers Skein and that has not said hello by then takes no chunks. */
const HELLO_WITHIN_MS = 10_000
/** Each member hears something at least this often, give or take the half: stock clients give up after 30 s. */
export const KEEP_ALIVE_MS = 10_000
/**
 * A relay's side of one space: takes frames of its members, says what to log, to send and to close. It
 * knows what the content is made of, but leaves the content to its driver, and neither of them needs a
 * Y.Doc for it. Rules: SPEC.md, R1 to R35.
 */
export class Room {
  private readonly members = new Map<MemberId, Member>()
  /** Undefined where there are no strong keys: then nobody looks at keys. */
  private readonly refuseStrongKey: ((root: string, key: string) => void) | undefined
  private readonly presence = new RoomPresence()
  /** Updates that came in since the last flush. */
  private batch: { readonly from: MemberId; readonly update: Uint8Array }[] = []
  private batchBytes = 0
  /** Numbered updates that get a position with the next flush. */
  private unplaced: { readonly member: Member; readonly seq: number }[] = []
  private readonly disks: RoomDisks
  private hurryAfterFlush = false
  /** The epoch is on disk when this position is; undefined before it was handed to the log. */
  private epochPosition: number | undefined
  private nextSweepMs: number | undefined
  /** Members that stand by. */
  private standbyCount = 0
  private nextNewsMs = Number.POSITIVE_INFINITY

  /**
   * @param index of what the log holds
   * @param epoch that the log holds, empty if none
   */
  constructor(
    private readonly options: RoomOptions,
    private readonly index = new RoomIndex(),
    private epoch = '',
  ) {
    this.disks = new RoomDisks(this.members, options.cluster, index.position)
    const { isStrong } = options
    if (isStrong !== undefined) {
      this.refuseStrongKey = (root, key) => {
        if (root === STATE_MAP && isStrong(key)) throw new StrongKeyWritten(key)
      }
    }
    if (epoch !== '') this.epochPosition = 0
    // Written before there were epochs.
    if (this.epoch === '' && index.position > 0) this.epoch = options.newEpoch
  }

  get memberCount(): number {
    return this.members.size
  }

  /** The log position of the last update that came in. */
  get lastPosition(): number {
    return this.index.position
  }

  /** Whether everything that came in is on disk. */
  get settled(): boolean {
    return this.disks.committedPosition === this.index.position && !this.hasBatch
  }

  /** Whether updates wait for `flush`. Call it before going idle, once for all frames that are at hand. */
  get hasBatch(): boolean {
    return this.batch.length > 0
  }

  /** When `timeout` wants to be called; undefined while nobody is here. */
  get deadline(): number | undefined {
    if (this.nextSweepMs === undefined) return undefined
    return Math.min(this.nextSweepMs, this.nextNewsMs, this.presence.dueMs)
  }

  /** How many members are not other relays. */
  get ownMemberCount(): number {
    let count = 0
    for (const { relay } of this.members.values()) if (relay === undefined) count++
    return count
  }

  /** Whether another relay that is a member has everything on disk; undefined where it is no member. */
  isAt(relayId: string): boolean | undefined {
    for (const { relay } of this.members.values()) {
      if (relay?.id === relayId) return !this.hasBatch && relay.position >= this.index.position
    }
    return undefined
  }

  /**
   * A connection was made. `skein`: its URL offers Skein.
   * @param relay the name of the other relay whose room of this space it is
   */
  join(nowMs: number, id: MemberId, skein: boolean, relay?: string): RoomEffects {
    const effects = new Effects()
    const joining = new Member(nowMs, skein, this.options.inboundBudget)
    if (relay !== undefined) joining.relay = new RelayMember(relay)
    this.members.set(id, joining)
    this.nextSweepMs ??= nowMs + KEEP_ALIVE_MS
    if (skein) effects.sendTo([id], encodeFrame(this.hello()))
    // Another relay that has the same need not read its content to find out.
    effects.sendTo([id], this.step1(relay === undefined || this.hasBatch ? undefined : this.index.digest()))
    this.sendAllPresence(id, effects)
    return effects
  }

  /** A frame arrived. Whatever it holds, only its sender can suffer from it. */
  receive(nowMs: number, id: MemberId, frame: Uint8Array): RoomEffects {
    const member = this.members.get(id)
    const effects = new Effects()
    if (member === undefined || member.ended) return effects
    try {
      this.handle(nowMs, id, member, decodeFrame(frame), effects)
    } catch (error) {
      if (error instanceof BudgetExceeded) {
        effects.close.push({ member: id, code: CLOSE.tryLater, reason: error.message })
      } else if (error instanceof ProtocolError) {
        effects.close.push({ member: id, code: CLOSE.malformedFrame, reason: error.message })
      } else throw error
    }
    this.noteSent(nowMs, effects)
    return effects
  }

  /**
   * Logs and forwards what came in since the last time: one update as it is, several merged into one,
   * so that each member gets one frame and the log one entry. Only large ones stay apart.
   */
  flush(nowMs: number): RoomEffects {
    const effects = new Effects()
    const { batch } = this
    if (batch.length === 0) return effects
    this.batch = []
    this.batchBytes = 0
    if (this.epoch === '') this.epoch = this.options.newEpoch
    // Who sent all of it needs none of it; who sent a part gets it back with the rest, which is harmless.
    const { from } = batch[0]!
    const author = batch.every((entry) => entry.from === from) ? from : undefined
    const updates = mergeNeighbours(batch.map((entry) => entry.update))
    for (const update of updates) {
      const position = this.index.append(update.length)
      effects.persist.push({ position, update })
      this.forward(encodeFrame({ type: 'update', update }), author, effects)
    }
    for (const { member, seq } of this.unplaced) this.disks.wait(member, seq, this.index.position)
    this.unplaced = []
    this.storeEpoch(effects)
    for (const [id, member] of this.members) {
      this.tellReceived(id, member, effects)
      member.catchUp?.begin(this.index.position, this.index.stateVector())
      this.proceed(id, member, effects)
      this.mark(id, member, effects)
    }
    if (this.hurryAfterFlush) this.hurryRelays(effects)
    if (this.standbyCount > 0) {
      const clocks = clocksOf(updates, (client) => this.index.clockOf(client))
      for (const [id, { news }] of this.members) if (id !== author) news?.add(clocks)
      this.sendNews(nowMs, effects)
    }
    this.noteSent(nowMs, effects)
    return effects
  }

  /** To all who are up to date, but its author; a large one at the pace of each who understands chunks. */
  private forward(frame: Uint8Array, author: MemberId | undefined, effects: Effects): void {
    const isLarge = frame.length > LIMITS.chunkBytesMax
    const others: MemberId[] = []
    for (const [id, member] of this.members) {
      if (id === author || member.ended || member.news !== undefined || member.catchUp?.hasBegun) continue
      const waits = member.catchUp !== undefined && !member.catchUp.outgoing.isEmpty
      const inTurn = member.takesChunks && (isLarge || waits)
      if (!inTurn && !this.awaitsHello(member, isLarge)) others.push(id)
      else {
        member.catchUp ??= new CatchUp()
        member.catchUp.outgoing.add([frame])
      }
    }
    effects.sendTo(others, frame)
  }

  /** The frames that an `AnswerRequest` asked for. */
  answered(nowMs: number, id: MemberId, frames: readonly Uint8Array[]): RoomEffects {
    const effects = new Effects()
    const member = this.members.get(id)
    if (member?.catchUp === undefined) return effects
    member.catchUp.answered(frames)
    this.proceed(id, member, effects)
    this.noteSent(nowMs, effects)
    return effects
  }

  /**
   * A member's connection takes bytes more slowly than updates come. It gets none from now on, so that
   * what waits for it stays bounded, and nobody waits for it.
   */
  congestion(id: MemberId): void {
    const member = this.members.get(id)
    if (member === undefined || member.congested) return
    member.congested = true
    member.catchUp ??= this.newCatchUp()
  }

  /** A member's connection takes more: that of what `more` told, or after congestion. */
  writable(nowMs: number, id: MemberId): RoomEffects {
    const effects = new Effects()
    const member = this.members.get(id)
    if (member === undefined) return effects
    member.congested = false
    member.isFilled = false
    if (member.missedPresence) {
      member.missedPresence = false
      this.sendAllPresence(id, effects)
    }
    this.proceed(id, member, effects)
    this.noteSent(nowMs, effects)
    return effects
  }

  /** A connection is closed. */
  leave(nowMs: number, id: MemberId): RoomEffects {
    const effects = new Effects()
    const member = this.members.get(id)
    if (member === undefined) return effects
    this.members.delete(id)
    if (member.news !== undefined) this.standbyCount--
    member.end()
    if (this.members.size === 0) this.nextSweepMs = undefined
    // Its clients come back over another relay, or their own.
    if (member.hasOtherPaths || member.relay !== undefined) {
      this.presence.memberLost(nowMs, id)
      if (member.relay !== undefined) this.askWhoIsThere(effects)
    } else {
      const gone = this.presence.memberLeft(nowMs, id)
      if (gone !== undefined) this.sendPresence(id, gone, effects)
    }
    this.noteSent(nowMs, effects)
    return effects
  }

  /** Everything up to this position is on disk. */
  committed(nowMs: number, position: number): RoomEffects {
    const effects = new Effects()
    const epochWasStored = this.epochIsStored
    this.disks.committed(position)
    if (this.epochIsStored && !epochWasStored) {
      const agents = [...this.members].filter(([, { skein }]) => skein).map(([id]) => id)
      effects.sendTo(agents, encodeFrame(this.hello()))
      for (const [id, member] of this.members) this.proceed(id, member, effects)
    }
    this.disks.tell(effects)
    this.noteSent(nowMs, effects)
    return effects
  }

  /** Others may make up the cluster: then other disks are a majority, and members may be told that there is one. */
  clusterChanged(nowMs: number): RoomEffects {
    const effects = new Effects()
    if (this.disks.clusterChanged(effects)) this.greetAgain(effects)
    this.noteSent(nowMs, effects)
    return effects
  }

  /** Tells own members what is confirmed now. Their answers hold all that they sent before, so that is confirmed, too. */
  private greetAgain(effects: Effects): void {
    for (const [id, { skein, relay }] of this.members) {
      if (!skein || relay !== undefined) continue
      effects.sendTo([id], encodeFrame(this.hello()))
      effects.sendTo([id], this.step1())
    }
  }

  /** The log was compacted, and holds so many bytes less. */
  compacted(bytesLess: number): void {
    this.index.bytes -= bytesLess
  }

  /** `deadline` has come: a sign of life for members that heard nothing for a while. */
  timeout(nowMs: number): RoomEffects {
    const effects = new Effects()
    this.sendNews(nowMs, effects)
    const gone = this.presence.lingered(nowMs)
    if (gone !== undefined) this.sendPresence(undefined, gone, effects)
    if (this.nextSweepMs === undefined || nowMs < this.nextSweepMs) {
      this.noteSent(nowMs, effects)
      return effects
    }
    this.nextSweepMs = nowMs + KEEP_ALIVE_MS
    this.presence.forget(nowMs)
    const idle: MemberId[] = []
    for (const [id, member] of this.members) {
      if (nowMs - member.lastSentMs >= KEEP_ALIVE_MS / 2) idle.push(id)
      if (!this.hasBatch && member.relay?.isSynced && member.relay.mustCompare(this.index.digest())) {
        effects.sendTo([id], this.step1(this.index.digest()))
      }
      if (!this.hasBatch) this.tell(id, member.news?.takeWithDigest(nowMs, this.index.digest()), effects)
      if (!member.mayTakeChunks || nowMs - member.joinedMs < HELLO_WITHIN_MS) continue
      // It has had its time to say hello.
      member.mayTakeChunks = false
      this.proceed(id, member, effects)
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
        this.answer(id, member, message.stateVector, message.digest, effects)
        return
      case 'sync-step-2':
      case 'update':
        this.update(nowMs, id, member, message.update, effects, (code, reason) => {
          effects.close.push({ member: id, code: CLOSE_CODES[code], reason })
          // A mark behind it would be acknowledged as if it had been taken.
          if (member.relay !== undefined) member.ended = true
        })
        return
      case 'numbered-update':
        this.numberedUpdate(nowMs, id, member, message.seq, message.update, effects)
        return
      case 'chunk': {
        const whole = member.addChunk(message)
        if (whole !== undefined) this.handle(nowMs, id, member, decodeChunked(whole), effects)
        return
      }
      case 'awareness': {
        const knows = member.relay === undefined ? undefined : this.isOwn
        const { news, contradiction } = this.presence.receive(nowMs, id, message.update, knows)
        if (news !== undefined) this.sendPresence(id, news, effects)
        if (contradiction !== undefined) {
          effects.sendTo([id], encodeFrame({ type: 'awareness', update: contradiction }))
        }
        return
      }
      case 'query-awareness':
        // Another relay that has lost a third one asks who is here; of others it knows as much.
        this.sendAllPresence(id, effects, member.relay === undefined ? undefined : this.isOwn)
        return
      case 'hello':
        this.helloFrom(id, member, message, effects)
        return
      case 'hurry':
        effects.hurry = true
        // Not passed on again by the others: each is told by the one that somebody waits at.
        if (member.relay === undefined) this.hurryRelays(effects)
        return
      case 'ping':
        effects.sendTo([id], encodeFrame({ type: 'pong', pingSentAtUs: message.sentAtUs }))
        return
      case 'standby':
        this.standby(id, member, message.on, effects)
        return
      case 'ack':
        if (message.tier === 'relay' && member.relay?.acknowledged(message.to)) {
          this.disks.checkQuorum(effects)
        }
        return
      // What only a relay sends, and what this version does not know, is skipped.
      case 'news':
      case 'received':
      case 'auth-denied':
      case 'reject':
      case 'pong':
      case 'strong-answer':
      case 'strong-event':
      case 'unknown':
        return
      // The room's driver takes these, where it has a strong region.
      case 'strong-request':
        return
    }
  }

  private helloFrom(id: MemberId, member: Member, hello: HelloMessage, effects: Effects): void {
    if (agreedVersion(hello, this.hello()) === undefined) {
      const reason = `this relay speaks version ${PROTOCOL_VERSION}, the agent ${hello.versionMin} to ${hello.versionMax}`
      effects.close.push({ member: id, code: CLOSE.noCommonVersion, reason })
      member.ended = true
      return
    }
    if (hello.epoch !== '' && this.epoch !== '' && hello.epoch !== this.epoch) {
      this.refuseEpoch(id, member, hello.epoch, effects)
      return
    }
    if (this.epoch === '') this.epoch = hello.epoch
    member.takesChunks = hello.features.includes(CHUNKS_FEATURE)
    member.hasOtherPaths = hello.features.includes(STANDBY_FEATURE)
    member.mayTakeChunks = false
    this.proceed(id, member, effects)
  }

  /** A member stands by from now on, or takes part again: then it is greeted as one that has just come. */
  private standby(id: MemberId, member: Member, on: boolean, effects: Effects): void {
    if (on === (member.news !== undefined)) return
    this.standbyCount += on ? 1 : -1
    member.news = on ? new News() : undefined
    if (on) return
    effects.sendTo([id], this.step1())
    this.sendAllPresence(id, effects)
  }

  private sendNews(nowMs: number, effects: Effects): void {
    if (this.standbyCount === 0 && this.nextNewsMs === Number.POSITIVE_INFINITY) return
    this.nextNewsMs = Number.POSITIVE_INFINITY
    for (const [id, { news }] of this.members) {
      this.tell(id, news?.take(nowMs), effects)
      this.nextNewsMs = Math.min(this.nextNewsMs, news?.dueMs ?? Number.POSITIVE_INFINITY)
    }
  }

  private tell(id: MemberId, frame: Uint8Array | undefined, effects: Effects): void {
    if (frame !== undefined) effects.sendTo([id], frame)
  }

  private refuseEpoch(id: MemberId, member: Member, theirs: string, effects: Effects): void {
    const reason = `the replica is of epoch ${theirs}, this space of ${this.epoch}; nothing was merged`
    effects.close.push({ member: id, code: CLOSE.wrongEpoch, reason })
    // What it sent behind its hello must not be merged while the close is on its way.
    member.ended = true
  }

  private storeEpoch(effects: Effects): void {
    if (this.epochPosition !== undefined) return
    this.epochPosition = this.index.position
    effects.epoch = this.epoch
  }

  /** Whether agents may be told of the epoch: one that a crash can take back would shut them out. */
  private get epochIsStored(): boolean {
    return this.epochPosition !== undefined && this.epochPosition <= this.disks.committedPosition
  }

  /** Answers a step 1: at once if nothing is missing, otherwise from the content. */
  private answer(
    id: MemberId,
    member: Member,
    stateVector: Uint8Array,
    digest: string | undefined,
    effects: Effects,
  ): void {
    decodeStateVector(stateVector)
    if (digest !== undefined && !this.hasBatch && digest === this.index.digest()) {
      effects.sendTo([id], NOTHING_MISSING)
      if (member.relay !== undefined) member.relay.isSynced = true
      this.mark(id, member, effects)
      return
    }
    member.catchUp ??= this.newCatchUp()
    member.catchUp.ask(stateVector.slice())
    this.proceed(id, member, effects)
  }

  private newCatchUp(): CatchUp {
    const catchUp = new CatchUp()
    // Not if a batch waits: the state vector counts it, and the member was not sent it.
    if (!this.hasBatch) catchUp.begin(this.index.position, this.index.stateVector())
    return catchUp
  }

  /** Takes a member that catches up as far as it goes now. */
  private proceed(id: MemberId, member: Member, effects: Effects): void {
    const { catchUp } = member
    if (catchUp === undefined || member.ended || member.congested || member.isFilled) return
    if (this.awaitsHello(member, catchUp.outgoing.nextIsLarge)) return
    if (!catchUp.outgoing.isEmpty) {
      for (const frame of catchUp.outgoing.take(member.takesChunks)) effects.sendTo([id], frame)
      if (!catchUp.outgoing.isEmpty) {
        member.isFilled = true
        effects.more.push(id)
        return
      }
    }
    // A batch that waits is not in the content yet, but in the state vector.
    if (this.hasBatch) return
    if (catchUp.isDone(this.index.position)) {
      member.catchUp = undefined
      if (member.relay !== undefined) member.relay.isSynced ||= catchUp.hasAnswered
      this.mark(id, member, effects)
      return
    }
    const request = catchUp.request(this.index.position, () => this.index.stateVector())
    if (request !== undefined) effects.answers.push({ member: id, ...request })
  }

  /**
   * Whether content is kept back until a member's hello has come: that tells whether a large frame may go in
   * chunks, and, while the member was not told of the epoch, whether it has another one.
   */
  private awaitsHello(member: Member, isLarge: boolean): boolean {
    return member.mayTakeChunks && (isLarge || (this.epoch !== '' && !this.epochIsStored))
  }

  private numberedUpdate(
    nowMs: number,
    id: MemberId,
    member: Member,
    seq: number,
    update: Uint8Array,
    effects: Effects,
  ): void {
    const taken = this.update(nowMs, id, member, update, effects, (code, reason) => {
      effects.sendTo([id], encodeFrame({ type: 'reject', seq, code, reason }))
      effects.rejections++
    })
    if (!taken) return
    if (member.hasOtherPaths) member.receivedTo = seq
    // Also where it brought nothing new: what it repeats may still be on its way to the disk.
    if (this.hasBatch) {
      this.unplaced.push({ member, seq })
      return
    }
    this.disks.wait(member, seq, this.index.position)
    this.tellReceived(id, member, effects)
    this.disks.acknowledge(id, member, effects)
  }

  /** How well the path carries what is sent must not depend on the disk. */
  private tellReceived(id: MemberId, member: Member, effects: Effects): void {
    if (member.receivedTo === 0) return
    effects.sendTo([id], encodeFrame({ type: 'received', to: member.receivedTo }))
    member.receivedTo = 0
  }

  /** Somebody may wait for the other relays' disks, too. */
  private hurryRelays(effects: Effects): void {
    // What waits here is forwarded first.
    this.hurryAfterFlush = this.hasBatch
    if (this.hasBatch) return
    const owing = [...this.members].filter(([, { relay, ended }]) => relay?.owesMark && !ended)
    effects.sendTo(
      owing.map(([id]) => id),
      HURRY,
    )
  }

  /** Finds out what a relay that is sent all has on disk, as soon as it has. */
  private mark(id: MemberId, member: Member, effects: Effects): void {
    const { relay, catchUp } = member
    if (relay === undefined || !relay.isSynced || catchUp !== undefined || this.hasBatch || member.ended)
      return
    const mark = relay.mark(this.index.position)
    if (mark !== undefined) effects.sendTo([id], mark)
  }

  /** Takes an update into the batch if it brings anything new. False where it is refused. */
  private update(
    nowMs: number,
    from: MemberId,
    member: Member,
    update: Uint8Array,
    effects: Effects,
    refuse: (code: RejectCode, reason: string) => void,
  ): boolean {
    const { updateBytesMax, spaceBytesMax } = this.options
    if (update.length > updateBytesMax) {
      refuse('too-large', `update of ${update.length} bytes, this relay takes ${updateBytesMax}`)
      return false
    }
    const isMark = member.relay !== undefined && update.length === EMPTY_UPDATE.length
    if (!isMark && this.index.bytes + this.batchBytes + update.length > spaceBytesMax) {
      refuse('too-large', `this space is full: it may have ${spaceBytesMax} bytes`)
      return false
    }
    let isNew: boolean
    try {
      // What another relay took in before it knew of a declaration has to be everywhere.
      isNew = this.index.take(
        update,
        undefined,
        member.relay === undefined ? this.refuseStrongKey : undefined,
      )
    } catch (error) {
      if (error instanceof StrongKeyWritten) {
        refuse('forbidden', error.message)
        return false
      }
      if (!(error instanceof ProtocolError)) throw error
      refuse(error.code === 'too-large' ? 'too-large' : 'malformed', error.message)
      return false
    }
    if (!isNew) return true
    // A copy: the view would keep the socket's whole receive buffer alive.
    this.batch.push({ from, update: update.slice() })
    this.batchBytes += update.length
    if (this.index.lastHasGap && member.mayBeAsked(nowMs)) effects.sendTo([from], this.step1())
    return true
  }

  /** Whether a member is connected, and is not another relay. */
  private readonly isOwn = (id: MemberId): boolean => {
    const member = this.members.get(id)
    return member !== undefined && member.relay === undefined
  }

  /** Another relay is lost: who came by way of it may be at one of the others. */
  private askWhoIsThere(effects: Effects): void {
    const relays = [...this.members].filter(([, { relay, ended }]) => relay !== undefined && !ended)
    effects.sendTo(
      relays.map(([id]) => id),
      QUERY_PRESENCE,
    )
  }

  private sendAllPresence(id: MemberId, effects: Effects, isWanted?: (member: MemberId) => boolean): void {
    const member = this.members.get(id)
    if (member?.congested) {
      member.missedPresence = true
      return
    }
    const update = this.presence.all(isWanted)
    if (update !== undefined) effects.sendTo([id], encodeFrame({ type: 'awareness', update }))
  }

  /** To all but its author; who is congested gets everybody's later. */
  private sendPresence(author: MemberId | undefined, update: Uint8Array, effects: Effects): void {
    const others: MemberId[] = []
    for (const [id, member] of this.members) {
      if (member.congested) member.missedPresence = true
      else if (id !== author && member.news === undefined) others.push(id)
    }
    effects.sendTo(others, encodeFrame({ type: 'awareness', update }))
  }

  private noteSent(nowMs: number, effects: Effects): void {
    for (const { to } of effects.send) {
      for (const id of to) {
        const member = this.members.get(id)
        if (member !== undefined) member.lastSentMs = nowMs
      }
    }
  }

  private step1(digest?: string): Uint8Array {
    const withDigest = digest === undefined ? {} : { digest }
    return encodeFrame({ type: 'sync-step-1', stateVector: this.index.stateVector(), ...withDigest })
  }

  private hello(): HelloMessage {
    return {
      type: 'hello',
      versionMin: PROTOCOL_VERSION,
      versionMax: PROTOCOL_VERSION,
      id: this.options.relayId,
      frameBytesMax: this.options.frameBytesMax,
      updateBytesMax: this.options.updateBytesMax,
      features: [
        CHUNKS_FEATURE,
        STANDBY_FEATURE,
        ...(this.refuseStrongKey === undefined ? [] : [STRONG_FEATURE]),
        ...(this.disks.confirmsQuorum ? [QUORUM_FEATURE] : []),
      ],
      epoch: this.epochIsStored ? this.epoch : '',
    }
  }
}

/** An update begins an entry of the shared state under a key that is strong. */
class StrongKeyWritten extends Error {
  constructor(key: string) {
    // The reason of a rejection is short, and a key may not be.
    super(`the key "${key.slice(0, 64)}" is strong in this space; it is not written through the document`)
  }
}

/** For who cannot be told by a number what was wrong with an update. */
const CLOSE_CODES: Record<RejectCode, number> = {
  malformed: CLOSE.malformedUpdate,
  'too-large': CLOSE.frameTooLarge,
  forbidden: CLOSE.strongKey,
  storage: CLOSE.tryLater,
}

const NOTHING_MISSING = encodeFrame({ type: 'sync-step-2', update: EMPTY_UPDATE })

const HURRY = encodeFrame({ type: 'hurry' })

const QUERY_PRESENCE = encodeFrame({ type: 'query-awareness' })

/** Awareness of nobody: what stock clients take as a sign of life. */
const KEEP_ALIVE_FRAME = encodeFrame({ type: 'awareness', update: writeAwarenessEntries([]) })
