import {
  decodeFrame,
  encodeFrame,
  type HelloMessage,
  type Message,
  type UnknownMessage,
} from '@skein/protocol'
import * as Y from 'yjs'
import {
  answerFrames,
  ByteBudget,
  documentReplica,
  Outbox,
  type PersistedUpdate,
  Room,
  type RoomEffects,
  RoomIndex,
  type RoomOptions,
  Session,
  type SessionEffects,
} from '../src/index.js'

export const ROOM_OPTIONS = {
  relayId: 'relay-1',
  frameBytesMax: 1 << 20,
  updateBytesMax: 1 << 19,
  spaceBytesMax: 1 << 24,
  inboundBudget: new ByteBudget(1 << 22),
  newEpoch: 'epoch-1',
}

/** A room with the content that it leaves to its driver; what it asks for is answered at once. */
export class TestRoom extends Room {
  readonly entries: PersistedUpdate[]

  constructor(logged: readonly PersistedUpdate[] = [], options: RoomOptions = ROOM_OPTIONS, epoch = '') {
    const index = new RoomIndex()
    for (const entry of logged) index.add(entry)
    super(options, index, epoch)
    this.entries = [...logged]
  }

  /** The content, as the state of the shared map. */
  content(): unknown {
    const doc = new Y.Doc()
    for (const { update } of this.entries) Y.applyUpdate(doc, update)
    return doc.getMap('state').toJSON()
  }

  override receive(nowMs: number, id: number, frame: Uint8Array): RoomEffects {
    return this.did(super.receive(nowMs, id, frame))
  }

  override flush(nowMs: number): RoomEffects {
    return this.did(super.flush(nowMs))
  }

  override committed(nowMs: number, position: number): RoomEffects {
    return this.did(super.committed(nowMs, position))
  }

  override timeout(nowMs: number): RoomEffects {
    return this.did(super.timeout(nowMs))
  }

  override writable(nowMs: number, id: number): RoomEffects {
    return this.did(super.writable(nowMs, id))
  }

  private did(effects: RoomEffects): RoomEffects {
    this.entries.push(...effects.persist)
    const pieces = this.entries.map(({ update }) => update)
    return effects.answers
      .map((request) => this.did(this.answered(0, request.member, answerFrames(pieces, request))))
      .reduce(joined, { ...effects, answers: [] })
  }
}

export function joined(a: RoomEffects, b: RoomEffects): RoomEffects {
  return {
    ...a,
    ...b,
    persist: [...a.persist, ...b.persist],
    send: [...a.send, ...b.send],
    answers: [...a.answers, ...b.answers],
    more: [...a.more, ...b.more],
    hurry: a.hurry || b.hurry,
    close: [...a.close, ...b.close],
  }
}

export function session(doc = new Y.Doc(), outbox = new Outbox()) {
  return { doc, outbox, session: new Session('agent-1', documentReplica(doc), outbox, 0) }
}

/** An update that sets one key in a fresh document. */
export function updateOf(key: string, value: unknown = 1, clientID?: number): Uint8Array {
  const doc = new Y.Doc()
  if (clientID !== undefined) doc.clientID = clientID
  doc.getMap('state').set(key, value)
  return Y.encodeStateAsUpdate(doc)
}

export function decoded(effects: SessionEffects): (Message | UnknownMessage)[] {
  return effects.send.map(decodeFrame)
}

/** What a room sends to one member. */
export function sentTo(effects: RoomEffects, member: number): (Message | UnknownMessage)[] {
  return effects.send.filter(({ to }) => to.includes(member)).map(({ frame }) => decodeFrame(frame))
}

export function relayHello(fields: Partial<HelloMessage> = {}): Uint8Array {
  return encodeFrame({
    type: 'hello',
    versionMin: 1,
    versionMax: 1,
    id: 'relay-1',
    frameBytesMax: 1 << 20,
    updateBytesMax: 1 << 19,
    features: [],
    epoch: '',
    ...fields,
  })
}

export const HELLO = relayHello()

export const STEP_1_EMPTY = encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.of(0) })
export const STEP_2_EMPTY = encodeFrame({ type: 'sync-step-2', update: Uint8Array.of(0, 0) })

/** A session that has exchanged everything with a relay. */
export function liveSession(hello = HELLO) {
  const parts = session()
  parts.session.opened()
  parts.session.receive(0, hello)
  parts.session.receive(0, STEP_1_EMPTY)
  parts.session.receive(0, STEP_2_EMPTY)
  parts.session.receive(0, encodeFrame({ type: 'pong', pingSentAtUs: 0 }))
  return parts
}

export function emptyRoom(): TestRoom {
  return new TestRoom()
}

/** The seed of this run: SKEIN_SEED, or a new one. It is printed, so that a failure can be repeated. */
export function runSeed(suite: string): number {
  const seed = Number(process.env.SKEIN_SEED ?? Math.floor(Math.random() * 2 ** 31))
  console.log(`${suite}: seed ${seed}; repeat with SKEIN_SEED=${seed} npx vitest run ${suite}`)
  return seed
}

/** Mulberry32: small, seeded, good enough to drive a test. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
