import {
  type AckTier,
  agreedVersion,
  CHUNKS_FEATURE,
  CLOSE,
  decodeChunked,
  decodeFrame,
  decodeStateVector,
  encodeFrame,
  encodeStateVector,
  type HelloMessage,
  LIMITS,
  type Message,
  type NewsMessage,
  PROTOCOL_VERSION,
  ProtocolError,
  QUORUM_FEATURE,
  type RejectCode,
  STANDBY_FEATURE,
  STRONG_FEATURE,
  type StrongAnswerMessage,
  type StrongEventMessage,
  type StrongRequestMessage,
  scanUpdate,
  type UnknownMessage,
} from '@skein/protocol'
import { BudgetExceeded, ByteBudget, OutgoingFrames, Reassembly } from './chunks.js'
import { Liveness, type Probed } from './liveness.js'
import { mergeUpdates } from './merge.js'
import { type EditSpan, EVERYTHING, joinedSpans, NumberedUpdates } from './numbered-updates.js'
import type { Outbox } from './outbox.js'
import { RelayClaims } from './relay-claims.js'

/** What a session reads of the document. All of it is synchronous and changes nothing. */
export interface Replica {
  stateVector(): Uint8Array
  digest(): string
  /** Whether updates wait in it for others that are missing. */
  hasGap(): boolean
  /** The history of the space that it belongs to; empty while that is not known. */
  readonly epoch: string
  /** The update that brings a replica with this state vector up to date. */
  diff(stateVector: Uint8Array): Uint8Array
}

/** What a session wants done. Fields that are absent ask for nothing. */
export interface SessionEffects {
  /** Frames to send, in order. */
  readonly send: readonly Uint8Array[]
  /** Updates to apply to the document; checked, in order. */
  readonly apply: readonly Uint8Array[]
  /** Awareness updates to apply. */
  readonly presence: readonly Uint8Array[]
  /** Keep this as the replica's epoch, before anything else of these effects. */
  readonly epoch?: string
  /** What the relay says of the strong region. */
  readonly strong?: readonly StrongMessage[]
  /** Edits that have just turned out to have arrived, be it that they were refused. */
  readonly answered?: readonly EditSpan[]
  /** A probe was answered after so long. */
  readonly roundTripMs?: number
  /** What went by while this session stood by. */
  readonly news?: NewsMessage
  /** Call `sendMore` when the connection has sent most of what it holds. */
  readonly more?: boolean
  /** Give this agent's presence to `presence()`: the other side has asked, or is new. */
  readonly announce?: boolean
  /** Close the connection. The session is over. */
  readonly close?: { readonly code: number; readonly reason: string }
  /** Tell the application. */
  readonly problem?: SessionProblem
}

export type StrongMessage = StrongAnswerMessage | StrongEventMessage

export type SessionProblem =
  | { readonly kind: 'denied'; readonly reason: string }
  /** Edits from this number on stay unconfirmed: `from` is the first that the refused update held. */
  | { readonly kind: 'too-large'; readonly from: number; readonly bytes: number; readonly bytesMax: number }
  | { readonly kind: 'rejected'; readonly from: number; readonly code: RejectCode; readonly reason: string }
  | { readonly kind: 'malformed'; readonly reason: string }
  /** The relay lacks what it confirmed: nothing that it confirms can be relied on. */
  | { readonly kind: 'unfaithful'; readonly reason: string }
  /** The relay has another history of the space than this replica; nothing was merged. */
  | { readonly kind: 'wrong-epoch'; readonly mine: string; readonly theirs: string }

/** Pause between two questions for updates that are missing. */
export const ASK_MISSING_AFTER_MS = 5_000

export interface SessionOptions {
  /** Begin standing by. */
  readonly standsBy?: boolean
  /** There are other relays: this one need not tell others that the agent is gone as soon as its connection is. */
  readonly hasOtherPaths?: boolean
}

/**
 * An agent's side of one connection to a relay or a plain y-websocket server, from open to close.
 * Times are milliseconds of one monotonic clock. The caller does what the effects say and calls
 * `timeout` when `deadline` has come. Rules: SPEC.md, S1 to S24.
 */
export class Session {
  private relay: HelloMessage | undefined
  private askedByServer = false
  private answeredByServer = false
  private readonly liveness: Liveness
  private readonly numbered: NumberedUpdates
  /** The last edit that was sent, or refused. */
  private coveredEdits: number
  /** The answer to a step 1 held all edits up to this. */
  private answeredEdits = 0
  private readonly claims = new RelayClaims()
  private advanced: number
  /** What the relay asked for while it was still being sent the answer before, or reads nothing. */
  private question: Uint8Array | undefined
  /** The edits held back while the connection is congested; undefined while it is not. */
  private heldBack: HeldBack[] | undefined
  /** Whether the driver says that the connection is congested; edits are held back for large messages, too. */
  private isCongested = false
  private readonly outgoing = new OutgoingFrames()
  private readonly inbound = new Reassembly(LIMITS.messageBytesMax, new ByteBudget(LIMITS.messageBytesMax))
  /** When what is missing may be asked for again, and whether that is due. */
  private askMissingAfterMs = Number.NEGATIVE_INFINITY
  private askMissingIsDue = false

  /**
   * Whether it stands by: another path brings what others write, and this one is kept warm. Edits that are sent
   * over it are only those that it is given.
   */
  private standsBy: boolean
  /** The step 1 with which a relay greets everyone who comes is still to come, and need not be answered. */
  private awaitsGreeting: boolean
  /** It stood by before, so the relay is known, and takes edits before the exchange is over. */
  private sendsEarly = false

  constructor(
    private readonly agentId: string,
    private readonly replica: Replica,
    private readonly outbox: Outbox,
    nowMs: number,
    private readonly options: SessionOptions = {},
  ) {
    this.standsBy = this.awaitsGreeting = options.standsBy ?? false
    this.liveness = new Liveness(nowMs)
    this.advanced = nowMs
    this.coveredEdits = outbox.confirmed
    this.numbered = new NumberedUpdates(outbox)
  }

  /** `relay`: it said hello, so it confirms durability. `server`: plain y-websocket, as far as is known. */
  get kind(): 'relay' | 'server' {
    return this.relay === undefined ? 'server' : 'relay'
  }

  /** Whether the other side has said anything by which `kind` is known. */
  get isGreeted(): boolean {
    return this.relay !== undefined || this.askedByServer || this.answeredByServer
  }

  /** Whether anything has come over it yet. */
  get hasHeard(): boolean {
    return this.liveness.hasHeard
  }

  /** Both sides have told each other what they lack: edits flow. */
  get live(): boolean {
    return this.askedByServer && this.answeredByServer
  }

  /** Whether edits may go over it now: it is live, or stands by at a relay that knows, or did until now. */
  get ready(): boolean {
    return this.live || this.sendsEarly || (this.standsBy && this.canStandBy)
  }

  /** Whether it stands by, or would like to: the relay may not have said hello yet, or not know how. */
  get isStandby(): boolean {
    return this.standsBy
  }

  /** Whether the other side lets peers stand by; undefined before its hello has come. */
  get letsStandBy(): boolean | undefined {
    return this.relay === undefined ? undefined : this.canStandBy
  }

  /** When the exchange last came on; at first when it was made. Signs of life alone are none. */
  get advancedMs(): number {
    return this.advanced
  }

  private get canStandBy(): boolean {
    return this.relay?.features.includes(STANDBY_FEATURE) ?? false
  }

  /** The last measured round trip in milliseconds. */
  get roundTripMs(): number | undefined {
    return this.liveness.roundTripMs
  }

  /** When `timeout` wants to be called. */
  get deadline(): number {
    const deadlineMs = this.liveness.deadlineMs(this.probed)
    return this.askMissingIsDue ? Math.min(this.askMissingAfterMs, deadlineMs) : deadlineMs
  }

  private get probed(): Probed {
    return { kind: this.kind, ready: this.ready, sendsLarge: !this.outgoing.isEmpty }
  }

  /** The connection is open. */
  opened(): SessionEffects {
    return this.standsBy ? NOTHING : { ...NOTHING, send: [this.step1()], announce: true }
  }

  /** Takes part from now on: exchanges with the relay what each lacks. */
  activate(): SessionEffects {
    if (!this.standsBy) return NOTHING
    this.standsBy = false
    this.sendsEarly = this.canStandBy
    const standby = this.canStandBy ? [STANDBY_OFF] : []
    return { ...NOTHING, send: [...standby, this.step1()], announce: true }
  }

  /** Stands by from now on, if the relay knows how: another path has taken over. */
  standDown(): SessionEffects {
    if (this.standsBy || !this.canStandBy) return NOTHING
    this.standsBy = true
    this.sendsEarly = false
    this.askedByServer = false
    this.answeredByServer = false
    this.askMissingIsDue = false
    return sends(STANDBY_ON)
  }

  /** Asks for what this replica lacks, standing by or not. */
  ask(): SessionEffects {
    return this.ready ? sends(this.step1()) : NOTHING
  }

  /** Has the relay tell what it holds: it is asked, and asks, as if this session had stood by for a moment. */
  verify(): SessionEffects {
    if (!this.live || !this.canStandBy) return NOTHING
    return { ...NOTHING, send: [STANDBY_ON, STANDBY_OFF, this.step1()], announce: true }
  }

  /** A frame arrived. */
  receive(nowMs: number, frame: Uint8Array): SessionEffects {
    this.liveness.heard(nowMs)
    try {
      return this.handle(nowMs, decodeFrame(frame))
    } catch (error) {
      if (!(error instanceof ProtocolError || error instanceof BudgetExceeded)) throw error
      const reason = error.message
      return {
        ...NOTHING,
        close: { code: CLOSE.malformedFrame, reason },
        problem: { kind: 'malformed', reason },
      }
    }
  }

  /**
   * Sends edits, whether they were made now or are sent once more or instead of another path. The outbox has numbered
   * them; what they build on may have gone another way.
   * @param span which they are; the last one if left out
   */
  edit(update: Uint8Array, span: EditSpan = this.lastEdit()): SessionEffects {
    // Before the other side has asked, the answer to its step 1 will contain them.
    if (!this.askedByServer && !this.ready) return NOTHING
    if (span.upTo <= this.answeredEdits) return NOTHING
    if (this.heldBack !== undefined) {
      this.heldBack.push({ update, spans: [span] })
      if (this.heldBack.length >= HELD_BACK_MAX) this.heldBack = [mergedEdits(this.heldBack)]
      return NOTHING
    }
    return this.sendUpdate(update, false, span)
  }

  private lastEdit(): EditSpan {
    return { from: this.outbox.last, upTo: this.outbox.last }
  }

  /** The answer to a step 1 held all edits up to this. */
  get answeredUpTo(): number {
    return this.answeredEdits
  }

  /** Whether something that was sent is not confirmed yet, by a majority where the relay confirms that. */
  get hasUnconfirmed(): boolean {
    return this.numbered.hasUnconfirmed
  }

  /** Whether `congestion` was the last that was said of the connection. */
  get congested(): boolean {
    return this.isCongested
  }

  /**
   * The connection takes bytes more slowly than edits come. Later ones are held back, and follow as one
   * merged update once `relieved` is called.
   */
  congestion(): void {
    this.isCongested = true
    if (this.askedByServer || this.ready) this.heldBack ??= []
  }

  /** Whether bytes wait in the socket, whenever that is known anew. */
  filled(nowMs: number, isFilled: boolean): void {
    this.liveness.filled(nowMs, isFilled)
  }

  /** The connection has drained. */
  relieved(): SessionEffects {
    this.isCongested = false
    return this.outgoing.isEmpty ? this.release() : NOTHING
  }

  /** Somebody waits, as the outbox knows: for what was sent, and for what will be. */
  hurry(): SessionEffects {
    return this.numbered.isAwaited ? { ...NOTHING, send: this.hurryFrames() } : NOTHING
  }

  /** Behind what they are about; not before the last part of a large message. */
  private hurryFrames(): readonly Uint8Array[] {
    return this.relay !== undefined && this.outbox.isAwaited && this.outgoing.isEmpty ? [HURRY] : []
  }

  /** The connection takes more of a large message. */
  sendMore(): SessionEffects {
    const send = this.outgoing.take(true)
    if (!this.outgoing.isEmpty) return { ...NOTHING, send, more: true }
    const sent = { ...NOTHING, send: [...send, ...this.hurryFrames()] }
    return this.isCongested ? sent : join(sent, this.release())
  }

  /** Updates were applied: asks for what is missing, if the document waits for something. */
  applied(nowMs: number): SessionEffects {
    this.askMissingIsDue = this.live && this.replica.hasGap()
    if (!this.askMissingIsDue || nowMs < this.askMissingAfterMs) return NOTHING
    this.askMissingIsDue = false
    this.askMissingAfterMs = nowMs + ASK_MISSING_AFTER_MS
    return sends(this.step1())
  }

  private release(): SessionEffects {
    const { question, heldBack: held = [] } = this
    this.question = undefined
    this.heldBack = undefined
    // The answer holds what was held back.
    if (question !== undefined) return this.answerAll(question)
    if (held.length === 0) return NOTHING
    const { update, spans } = mergedEdits(held)
    return this.sendUpdate(update, false, ...spans)
  }

  /** This agent's presence, or that of neighbours it serves, as an awareness update. */
  presence(update: Uint8Array): SessionEffects {
    return sends(encodeFrame({ type: 'awareness', update }))
  }

  /** Whether the relay takes strong requests. */
  get takesStrong(): boolean {
    return this.relay?.features.includes(STRONG_FEATURE) ?? false
  }

  /** A request of the strong region; it overtakes what is left of a large message. */
  strong(request: StrongRequestMessage): SessionEffects {
    return this.takesStrong ? sends(encodeFrame(request)) : NOTHING
  }

  /** `deadline` has come, perhaps long ago: timers in hidden tabs are throttled. */
  timeout(nowMs: number): SessionEffects {
    const asked = this.askMissingIsDue && nowMs >= this.askMissingAfterMs ? this.applied(nowMs) : NOTHING
    return join(asked, this.checkLiveness(nowMs))
  }

  private checkLiveness(nowMs: number): SessionEffects {
    const wanted = this.liveness.check(nowMs, this.probed)
    if (wanted === 'nothing') return NOTHING
    return wanted === 'probe' ? this.probe(nowMs) : this.dead(wanted.dead)
  }

  /** Finds out now whether the connection still works, e.g. after the machine has slept. */
  probe(nowMs: number): SessionEffects {
    if (!this.ready || this.liveness.isProbing) return NOTHING
    this.liveness.probed(nowMs)
    if (this.kind === 'relay') return sends(encodeFrame({ type: 'ping', sentAtUs: Math.round(nowMs * 1000) }))
    return sends(encodeFrame({ type: 'sync-step-1', stateVector: this.replica.stateVector() }))
  }

  private handle(nowMs: number, message: Message | UnknownMessage): SessionEffects {
    // A ping to a relay is ended by its pong alone: only that proves that what is sent here arrives, too.
    if (this.kind === 'server' && message.type !== 'sync-step-2') this.liveness.probeEnded()
    if (EXCHANGE.has(message.type)) this.advanced = nowMs
    switch (message.type) {
      case 'hello':
        return this.hello(nowMs, message)
      case 'sync-step-1':
        return this.answer(nowMs, message.stateVector)
      case 'sync-step-2':
        return this.step2(nowMs, message.update)
      case 'update':
        scanUpdate(message.update)
        return { ...NOTHING, apply: [message.update] }
      case 'awareness':
        return { ...NOTHING, presence: [message.update] }
      case 'query-awareness':
        return { ...NOTHING, announce: true }
      case 'auth-denied':
        return { ...NOTHING, problem: { kind: 'denied', reason: message.reason } }
      case 'ack':
        // What was never sent cannot have arrived: a relay that says so is not believed.
        return message.to <= this.numbered.last ? this.acknowledged(message.to, message.tier) : NOTHING
      case 'received':
        return message.to <= this.numbered.last ? answers(this.numbered.received(message.to)) : NOTHING
      case 'reject':
        return message.seq <= this.numbered.last
          ? this.rejected(message.seq, message.code, message.reason)
          : NOTHING
      case 'ping':
        return sends(encodeFrame({ type: 'pong', pingSentAtUs: message.sentAtUs }))
      case 'pong':
        return { ...NOTHING, roundTripMs: this.liveness.ponged(nowMs, message.pingSentAtUs / 1000) }
      case 'news':
        decodeStateVector(message.stateVector)
        return { ...NOTHING, news: { ...message, stateVector: message.stateVector.slice() } }
      case 'chunk': {
        const whole = this.inbound.add(message)
        return whole === undefined ? NOTHING : this.handle(nowMs, decodeChunked(whole))
      }
      case 'strong-answer':
      case 'strong-event':
        return { ...NOTHING, strong: [message] }
      case 'numbered-update':
      case 'strong-request':
      case 'hurry':
      case 'standby':
      case 'unknown':
        return NOTHING
    }
  }

  private hello(nowMs: number, hello: HelloMessage): SessionEffects {
    const { epoch } = this.replica
    if (hello.epoch !== '' && epoch !== '' && hello.epoch !== epoch) {
      const reason = `this replica is of epoch ${epoch}, the relay's space of ${hello.epoch}; nothing was merged`
      return {
        ...NOTHING,
        close: { code: CLOSE.wrongEpoch, reason },
        problem: { kind: 'wrong-epoch', mine: epoch, theirs: hello.epoch },
      }
    }
    const mine: HelloMessage = {
      type: 'hello',
      versionMin: PROTOCOL_VERSION,
      versionMax: PROTOCOL_VERSION,
      id: this.agentId,
      frameBytesMax: LIMITS.frameBytesMax,
      updateBytesMax: LIMITS.updateBytesMax,
      features: this.options.hasOtherPaths ? [CHUNKS_FEATURE, STANDBY_FEATURE] : [CHUNKS_FEATURE],
      epoch: epoch === '' ? hello.epoch : epoch,
    }
    if (agreedVersion(mine, hello) === undefined) {
      const reason = `the relay speaks versions ${hello.versionMin} to ${hello.versionMax}, this agent ${PROTOCOL_VERSION}`
      return { ...NOTHING, close: { code: CLOSE.noCommonVersion, reason } }
    }
    const isFirst = this.relay === undefined
    this.relay = hello
    let effects = isFirst ? sends(encodeFrame(mine)) : NOTHING
    if (isFirst && this.standsBy && this.canStandBy) {
      this.liveness.begin(nowMs)
      effects = join(effects, sends(STANDBY_ON))
    }
    return epoch === '' && hello.epoch !== '' ? { ...effects, epoch: hello.epoch } : effects
  }

  private answer(nowMs: number, stateVector: Uint8Array): SessionEffects {
    const theirs = decodeStateVector(stateVector)
    if (!this.claims.areKept(theirs)) return this.unfaithful()
    const isGreeting = this.awaitsGreeting
    this.awaitsGreeting = false
    if (this.standsBy) {
      // Who comes to stand by is asked again when it takes part. A relay that asks later misses something before what
      // it was sent over this path, and no other one need know of that.
      return isGreeting || !this.canStandBy ? NOTHING : this.answerAll(stateVector)
    }
    const wasLive = this.live
    this.askedByServer = true
    const answered = this.answerAll(stateVector)
    return wasLive ? answered : join(answered, this.nowLive(nowMs))
  }

  private answerAll(stateVector: Uint8Array): SessionEffects {
    if (!this.outgoing.isEmpty || this.isCongested) {
      // The last question alone is answered, once there is room: many large answers would not fit anywhere.
      this.question = stateVector.slice()
      return NOTHING
    }
    const answered = this.sendUpdate(this.replica.diff(stateVector), true, EVERYTHING)
    if (answered.problem === undefined) {
      this.answeredEdits = this.outbox.last
      if (this.options.hasOtherPaths && this.relay !== undefined) {
        this.claims.answered(this.numbered.last, decodeStateVector(this.replica.stateVector()))
      }
    }
    return answered
  }

  private step2(nowMs: number, update: Uint8Array): SessionEffects {
    scanUpdate(update)
    if (this.kind === 'server') this.liveness.answered(nowMs)
    if (this.standsBy) return { ...NOTHING, apply: [update] }
    const wasLive = this.live
    this.answeredByServer = true
    let effects: SessionEffects = { ...NOTHING, apply: [update] }
    if (!this.askedByServer && !this.sendsEarly) {
      // A server that answers without asking doesn't say what it lacks, so it gets everything.
      this.askedByServer = true
      effects = join(effects, this.sendUpdate(this.replica.diff(EMPTY_STATE_VECTOR), false, EVERYTHING))
    }
    return wasLive ? effects : join(effects, this.nowLive(nowMs))
  }

  /** The first probe measures the round trip. */
  private nowLive(nowMs: number): SessionEffects {
    return this.live && this.kind === 'relay' ? this.probe(nowMs) : NOTHING
  }

  /** @param spans the edits that it holds, or `EVERYTHING` */
  private sendUpdate(
    update: Uint8Array,
    answersStep1: boolean,
    ...spans: readonly EditSpan[]
  ): SessionEffects {
    const bytesMax = this.updateBytesMax()
    const first = this.cover(spans)
    if (update.length > bytesMax) {
      this.numbered.skip()
      // Nobody need wait for an answer to them.
      const answered = spans[0] === EVERYTHING ? [] : spans
      const problem = { kind: 'too-large', from: first, bytes: update.length, bytesMax } as const
      return { ...answers(answered), problem }
    }
    if (this.relay === undefined) {
      this.outbox.handOver(this.outbox.last)
      return sends(encodeFrame({ type: answersStep1 ? 'sync-step-2' : 'update', update }))
    }
    const seq = this.numbered.add(spans, first, this.confirms)
    if (this.options.hasOtherPaths && !answersStep1) this.claims.sentUpdate(seq, update)
    const frame = encodeFrame({ type: 'numbered-update', seq, answersStep1, update })
    if (frame.length <= LIMITS.chunkBytesMax || !this.takesChunks) {
      return { ...NOTHING, send: [frame, ...this.hurryFrames()] }
    }
    // Until it is gone edits wait: they build on it.
    this.heldBack ??= []
    const isBusy = !this.outgoing.isEmpty
    this.outgoing.add([frame])
    return isBusy ? NOTHING : this.sendMore()
  }

  private get takesChunks(): boolean {
    return this.relay?.features.includes(CHUNKS_FEATURE) ?? false
  }

  /** The largest update that the other side takes. */
  private updateBytesMax(): number {
    const { relay } = this
    if (relay === undefined) return LIMITS.frameBytesMax - HEAD_BYTES_MAX
    if (this.takesChunks) return Math.min(relay.updateBytesMax, LIMITS.updateBytesMax)
    return Math.min(relay.updateBytesMax, relay.frameBytesMax - HEAD_BYTES_MAX)
  }

  /** The tiers that the other side acknowledges. */
  get confirms(): readonly AckTier[] {
    if (this.relay === undefined) return []
    return this.relay.features.includes(QUORUM_FEATURE) ? ['relay', 'quorum'] : ['relay']
  }

  /** Returns the first of these edits; of everything the first that was not sent before. */
  private cover(spans: readonly EditSpan[]): number {
    const { last } = this.outbox
    const first = spans[0] === EVERYTHING ? Math.min(this.coveredEdits + 1, last) : spans[0]!.from
    this.coveredEdits = Math.max(this.coveredEdits, Math.min(last, spans.at(-1)!.upTo))
    return first
  }

  private acknowledged(to: number, tier: AckTier): SessionEffects {
    this.claims.acknowledged(to)
    return answers(this.numbered.acknowledged(to, tier))
  }

  private rejected(seq: number, code: RejectCode, reason: string): SessionEffects {
    const { first, spans } = this.numbered.rejected(seq)
    this.claims.rejected(seq)
    const from = first ?? this.outbox.confirmed + 1
    return { ...answers(spans), problem: { kind: 'rejected', from, code, reason } }
  }

  private unfaithful(): SessionEffects {
    const reason = 'the relay lacks what it has confirmed'
    return {
      ...NOTHING,
      close: { code: CLOSE.unfaithful, reason },
      problem: { kind: 'unfaithful', reason },
    }
  }

  private dead(reason: string): SessionEffects {
    return { ...NOTHING, close: { code: CLIENT_GAVE_UP, reason } }
  }

  private step1(): Uint8Array {
    const { replica } = this
    // Where something is missing in between, equal digests would not mean equal content.
    const digest = replica.hasGap() ? {} : { digest: replica.digest() }
    return encodeFrame({ type: 'sync-step-1', stateVector: replica.stateVector(), ...digest })
  }
}

interface HeldBack {
  readonly update: Uint8Array
  readonly spans: readonly EditSpan[]
}

function mergedEdits(held: readonly HeldBack[]): HeldBack {
  const spans = joinedSpans(held.flatMap((entry) => entry.spans))
  return { update: mergeUpdates(held.map(({ update }) => update)), spans }
}

/** What a frame has beside the update: type, number, kind, length. */
const HEAD_BYTES_MAX = 32

/** Edits held back one by one; beyond, they are merged. */
const HELD_BACK_MAX = 1_000

/** What an exchange is made of. */
const EXCHANGE: ReadonlySet<string> = new Set(['hello', 'sync-step-1', 'sync-step-2', 'chunk'])

/** Browsers may close with 1000 and 3000-4999 only; in a trace this one tells who gave up. */
const CLIENT_GAVE_UP = 4000

const HURRY = encodeFrame({ type: 'hurry' })
const STANDBY_ON = encodeFrame({ type: 'standby', on: true })
const STANDBY_OFF = encodeFrame({ type: 'standby', on: false })

const EMPTY_STATE_VECTOR = encodeStateVector(new Map())

const NOTHING: SessionEffects = { send: [], apply: [], presence: [] }

function answers(spans: readonly EditSpan[]): SessionEffects {
  return spans.length === 0 ? NOTHING : { ...NOTHING, answered: spans }
}

function sends(frame: Uint8Array): SessionEffects {
  return { ...NOTHING, send: [frame] }
}

function join(a: SessionEffects, b: SessionEffects): SessionEffects {
  return {
    ...a,
    ...b,
    send: [...a.send, ...b.send],
    apply: [...a.apply, ...b.apply],
    presence: [...a.presence, ...b.presence],
  }
}
