import { decodeFrame, encodeFrame, type Message, type UnknownMessage } from '@skein/protocol'
import * as Y from 'yjs'
import { Outbox, type Replica, Room, type RoomEffects, Session, type SessionEffects } from '../src/index.js'

export const ROOM_OPTIONS = { relayId: 'relay-1', frameBytesMax: 1 << 20, updateBytesMax: 1 << 19 }

export function replicaOf(doc: Y.Doc): Replica {
  return {
    stateVector: () => Y.encodeStateVector(doc),
    diff: (stateVector) => Y.encodeStateAsUpdate(doc, stateVector),
  }
}

export function session(doc = new Y.Doc(), outbox = new Outbox()) {
  return { doc, outbox, session: new Session('agent-1', replicaOf(doc), outbox, 0) }
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

export const HELLO = encodeFrame({
  type: 'hello',
  versionMin: 1,
  versionMax: 1,
  id: 'relay-1',
  frameBytesMax: 1 << 20,
  updateBytesMax: 1 << 19,
  features: [],
})

export const STEP_1_EMPTY = encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.of(0) })
export const STEP_2_EMPTY = encodeFrame({ type: 'sync-step-2', update: Uint8Array.of(0, 0) })

/** A session that has exchanged everything with a relay. */
export function liveSession() {
  const parts = session()
  parts.session.opened()
  parts.session.receive(0, HELLO)
  parts.session.receive(0, STEP_1_EMPTY)
  parts.session.receive(0, STEP_2_EMPTY)
  parts.session.receive(0, encodeFrame({ type: 'pong', pingSentAtUs: 0 }))
  return parts
}

export function emptyRoom(): Room {
  return new Room(ROOM_OPTIONS, [])
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
