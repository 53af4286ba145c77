import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { expect, test } from 'vitest'
import * as auth from 'y-protocols/auth'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as sync from 'y-protocols/sync'
import * as Y from 'yjs'
import {
  AWARENESS_NULL,
  decodeFrame,
  decodeStateVector,
  encodeFrame,
  isAwarenessNull,
  type Message,
  readAwarenessEntries,
  writeAwarenessEntries,
} from '../src/index.js'
import { encoded } from './support/bytes.js'

function docWith(text: string, clientID = 7): Y.Doc {
  const doc = new Y.Doc()
  doc.clientID = clientID
  doc.getText('t').insert(0, text)
  return doc
}

/** A frame as y-websocket builds it: the message's number, then what y-protocols writes. */
function stockFrame(id: number, write: (encoder: encoding.Encoder) => void): Uint8Array {
  return encoded((encoder) => {
    encoding.writeVarUint(encoder, id)
    write(encoder)
  })
}

/** What y-websocket hands to y-protocols: the frame behind the message's number. */
function stockBody(message: Message, id: number): decoding.Decoder {
  const decoder = decoding.createDecoder(encodeFrame(message))
  expect(decoding.readVarUint(decoder)).toBe(id)
  return decoder
}

test('P21 step 1 of y-protocols is read here', () => {
  const doc = docWith('hello')
  const message = decodeFrame(stockFrame(0, (encoder) => sync.writeSyncStep1(encoder, doc)))
  expect(message.type).toBe('sync-step-1')
  if (message.type === 'sync-step-1') {
    expect(decodeStateVector(message.stateVector)).toEqual(new Map([[7, 5]]))
  }
})

test('P22 P23 step 2 and update of y-protocols are read here', () => {
  const doc = docWith('hello')
  const update = Y.encodeStateAsUpdate(doc)
  const step2 = stockFrame(0, (encoder) => sync.writeSyncStep2(encoder, doc, Uint8Array.of(0)))
  expect(decodeFrame(step2)).toEqual({ type: 'sync-step-2', update })
  const live = stockFrame(0, (encoder) => sync.writeUpdate(encoder, update))
  expect(decodeFrame(live)).toEqual({ type: 'update', update })
})

test('P21 y-protocols answers our step 1 with what is missing', () => {
  const doc = docWith('hello')
  const answer = encoding.createEncoder()
  const question = stockBody({ type: 'sync-step-1', stateVector: Uint8Array.of(0) }, 0)
  expect(sync.readSyncMessage(question, answer, doc, null)).toBe(sync.messageYjsSyncStep1)
  const frame = Uint8Array.of(0, ...encoding.toUint8Array(answer))
  expect(decodeFrame(frame)).toEqual({ type: 'sync-step-2', update: Y.encodeStateAsUpdate(doc) })
})

test.each(['sync-step-2', 'update'] as const)('P22 P23 y-protocols applies our %s', (type) => {
  const doc = new Y.Doc()
  const update = Y.encodeStateAsUpdate(docWith('hello'))
  sync.readSyncMessage(stockBody({ type, update }, 0), encoding.createEncoder(), doc, null)
  expect(doc.getText('t').toString()).toBe('hello')
})

test('P24 awareness of y-protocols is read here, entry by entry', () => {
  const awareness = new Awareness(docWith('', 12))
  awareness.setLocalState({ name: 'Ä', cursor: [1, null] })
  const update = encodeAwarenessUpdate(awareness, [12])
  const frame = stockFrame(1, (encoder) => encoding.writeVarUint8Array(encoder, update))
  expect(decodeFrame(frame)).toEqual({ type: 'awareness', update })
  const [entry, ...others] = readAwarenessEntries(update)
  expect(others).toEqual([])
  expect(entry).toMatchObject({ client: 12, clock: 1 })
  expect(JSON.parse(new TextDecoder().decode(entry!.state))).toEqual({ name: 'Ä', cursor: [1, null] })
  awareness.setLocalState(null)
  const [left] = readAwarenessEntries(encodeAwarenessUpdate(awareness, [12]))
  expect(isAwarenessNull(left!.state)).toBe(true)
  awareness.destroy()
})

test('P24 y-protocols applies our awareness, and takes an empty one as no change', () => {
  const awareness = new Awareness(docWith('', 1))
  const apply = (entries: Parameters<typeof writeAwarenessEntries>[0]) => {
    const body = stockBody({ type: 'awareness', update: writeAwarenessEntries(entries) }, 1)
    applyAwarenessUpdate(awareness, decoding.readVarUint8Array(body), null)
  }
  const state = new TextEncoder().encode('{"name":"a"}')
  apply([{ client: 5, clock: 3, state }])
  expect(awareness.getStates().get(5)).toEqual({ name: 'a' })
  apply([])
  expect(awareness.getStates().get(5)).toEqual({ name: 'a' })
  apply([{ client: 5, clock: 4, state: AWARENESS_NULL }])
  expect(awareness.getStates().has(5)).toBe(false)
  awareness.destroy()
})

test('P25 a denial is read both ways', () => {
  const frame = stockFrame(2, (encoder) => auth.writePermissionDenied(encoder, 'нет'))
  expect(decodeFrame(frame)).toEqual({ type: 'auth-denied', reason: 'нет' })
  const reasons: string[] = []
  const body = stockBody({ type: 'auth-denied', reason: 'no entry' }, 2)
  auth.readAuthMessage(body, new Y.Doc(), (_, reason) => reasons.push(reason))
  expect(reasons).toEqual(['no entry'])
})

test('P26 the query for awareness is the number 3 alone', () => {
  expect(decodeFrame(stockFrame(3, () => {}))).toEqual({ type: 'query-awareness' })
  expect([...encodeFrame({ type: 'query-awareness' })]).toEqual([3])
})
