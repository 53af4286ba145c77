import { expect, test } from 'vitest'
import {
  agreedVersion,
  decodeChunked,
  decodeFrame,
  encodeFrame,
  encodeStateVector,
  LIMITS,
  MESSAGE_IDS,
  type Message,
  NEGOTIATION_PARAM,
  NEGOTIATION_VALUE,
} from '../src/index.js'
import { concat } from './support/bytes.js'
import { errorCodeOf } from './support/error-code.js'

test('P1 of two messages in one frame only the first is read', () => {
  const first: Message = { type: 'ping', sentAtUs: 1 }
  expect(decodeFrame(concat(encodeFrame(first), encodeFrame({ type: 'hurry' })))).toEqual(first)
})

test('P3 a message of an unknown number is reported as unknown, with its number', () => {
  const known = new Set(Object.values(MESSAGE_IDS))
  for (let id = 0; id < 128; id++) {
    if (!known.has(id)) expect(decodeFrame(Uint8Array.of(id))).toEqual({ type: 'unknown', id })
  }
  expect(decodeFrame(Uint8Array.of(0x80, 0x01, 0xff))).toEqual({ type: 'unknown', id: 128 })
})

test('P33 the numbers that are reserved are not in use', () => {
  for (const id of Object.values(MESSAGE_IDS))
    expect(
      id <= 3 || (id >= 64 && id <= 69) || id === 74 || (id >= 75 && id <= 77) || (id >= 81 && id <= 84),
    ).toBe(true)
})

test('P4 a frame over the limit is refused unread, one at the limit is read', () => {
  const frame = new Uint8Array(LIMITS.frameBytesMax + 1)
  frame[0] = 3
  expect(errorCodeOf(() => decodeFrame(frame))).toBe('too-large')
  expect(decodeFrame(frame.subarray(0, LIMITS.frameBytesMax))).toEqual({ type: 'query-awareness' })
})

test('P4 an update 1 KiB under the limit of a frame fits into one; one over its own is refused', () => {
  const update = new Uint8Array(LIMITS.frameBytesMax - 1024)
  const seq = Number.MAX_SAFE_INTEGER
  const frame = encodeFrame({ type: 'numbered-update', seq, answersStep1: true, update })
  expect(frame.length).toBeLessThanOrEqual(LIMITS.frameBytesMax)
  expect(decodeFrame(frame).type).toBe('numbered-update')
  const head = encodeFrame({
    type: 'chunk',
    total: LIMITS.updateBytesMax + 1,
    offset: 0,
    part: Uint8Array.of(1),
  })
  const over = concat([0, 2], head.subarray(1, 6))
  expect(errorCodeOf(() => decodeFrame(over))).toBe('too-large')
})

test('P34 a message of chunks may be longer than a frame', () => {
  const message = encodeFrame({ type: 'update', update: new Uint8Array(LIMITS.frameBytesMax) })
  expect(errorCodeOf(() => decodeFrame(message))).toBe('too-large')
  expect(decodeChunked(message).type).toBe('update')
})

test('P5 an empty frame is truncated', () => {
  expect(errorCodeOf(() => decodeFrame(new Uint8Array(0)))).toBe('truncated')
})

test.each([
  ['P21 a sync message of an unknown kind', [0, 3, 0]],
  ['P25 an auth message of an unknown kind', [2, 1, 0]],
  ['P27 a hello with an upside-down version range', [64, 2, 1, 0, 0, 0, 0, 0]],
  ['P27 a hello whose id is not UTF-8', [64, 1, 1, 1, 0xff, 0, 0, 0, 0]],
  ['P28 a numbered update with number 0', [65, 0, 0, 0]],
  ['P28 a numbered update of an unknown kind', [65, 1, 2, 0]],
  ['P29 an acknowledgement from 0', [66, 0, 1, 0]],
  ['P29 an acknowledgement of an upside-down range', [66, 2, 1, 0]],
  ['P29 an acknowledgement of an unknown tier', [66, 1, 1, 2]],
  ['P34 an empty chunk', [74, 5, 0, 0]],
  ['P34 a chunk that goes over the end', [74, 2, 1, 2, 0, 0]],
  ['P30 a rejection of number 0', [67, 0, 0, 0]],
  ['P30 a rejection for an unknown reason', [67, 1, 4, 0]],
  ['P10 P36 a standby that is neither on nor off', [82, 2]],
  ['P39 that what is before the first update was received', [84, 0]],
])('%s is malformed', (_, frame) => {
  expect(errorCodeOf(() => decodeFrame(Uint8Array.from(frame)))).toBe('malformed')
})

const HELLO: Message = {
  type: 'hello',
  versionMin: 1,
  versionMax: 1,
  id: '',
  frameBytesMax: 0,
  updateBytesMax: 0,
  features: [],
  epoch: '',
}

test.each<[string, Message]>([
  ['P25 a reason', { type: 'auth-denied', reason: 'x'.repeat(LIMITS.reasonBytesMax + 1) }],
  ['P27 an id', { ...HELLO, id: 'é'.repeat(LIMITS.idBytesMax / 2 + 1) }],
  ['P27 a feature', { ...HELLO, features: ['x'.repeat(LIMITS.idBytesMax + 1)] }],
  ['P27 an epoch', { ...HELLO, epoch: 'x'.repeat(LIMITS.epochBytesMax + 1) }],
  ['P27 a list of features', { ...HELLO, features: Array(LIMITS.featuresMax + 1).fill('') }],
  [
    'P30 a reason',
    { type: 'reject', seq: 1, code: 'storage', reason: 'x'.repeat(LIMITS.reasonBytesMax + 1) },
  ],
])('%s over its limit is too large', (_, message) => {
  expect(errorCodeOf(() => decodeFrame(encodeFrame(message)))).toBe('too-large')
})

test('P31 P32 a pong carries the time of its ping, to the microsecond', () => {
  for (const sentAtUs of [0, 1, 999_999, Number.MAX_SAFE_INTEGER]) {
    const ping = decodeFrame(encodeFrame({ type: 'ping', sentAtUs }))
    expect(ping).toEqual({ type: 'ping', sentAtUs })
    const pong: Message = { type: 'pong', pingSentAtUs: sentAtUs }
    expect(decodeFrame(encodeFrame(pong))).toEqual(pong)
  }
})

test('P35 hurry is its number alone', () => {
  expect([...encodeFrame({ type: 'hurry' })]).toEqual([81])
})

test('P36 standby says whether its sender stands by', () => {
  for (const on of [true, false]) {
    const frame = encodeFrame({ type: 'standby', on })
    expect([...frame]).toEqual([82, on ? 1 : 0])
    expect(decodeFrame(frame)).toEqual({ type: 'standby', on })
  }
})

test('P37 news may have a digest behind its clients; fewer than eight bytes are none', () => {
  const stateVector = encodeStateVector(new Map([[7, 3]]))
  const news: Message = { type: 'news', stateVector, digest: '0123456789abcdef' }
  const frame = encodeFrame(news)
  expect(decodeFrame(frame)).toEqual(news)
  expect(decodeFrame(frame.subarray(0, -1))).toEqual({ type: 'news', stateVector })
  expect(decodeFrame(concat(frame, [1, 2]))).toEqual(news)
})

test('P39 received tells the last number', () => {
  for (const to of [1, 300, Number.MAX_SAFE_INTEGER]) {
    expect(decodeFrame(encodeFrame({ type: 'received', to }))).toEqual({ type: 'received', to })
  }
})

test('P2 a hello of a later version, with fields behind those known here, is understood', () => {
  expect(decodeFrame(concat(encodeFrame(HELLO), [7, 1, 2, 3]))).toEqual(HELLO)
})

test.each([
  [1, 1, 1, 1, 1],
  [1, 3, 2, 5, 3],
  [2, 5, 1, 3, 3],
  [1, 9, 4, 4, 4],
  [1, 2, 2, 9, 2],
  [1, 1, 2, 2, undefined],
  [3, 4, 1, 2, undefined],
])('P44 versions %i to %i and %i to %i agree on %s', (aMin, aMax, bMin, bMax, agreed) => {
  const a = { versionMin: aMin, versionMax: aMax }
  const b = { versionMin: bMin, versionMax: bMax }
  expect(agreedVersion(a, b)).toBe(agreed)
  expect(agreedVersion(b, a)).toBe(agreed)
})

test('P80 the limits are those of SPEC.md', () => {
  expect(LIMITS).toEqual({
    frameBytesMax: 67_108_864,
    messageBytesMax: 536_870_912,
    updateBytesMax: 536_869_888,
    chunkBytesMax: 262_144,
    spaceNameCharsMax: 128,
    awarenessEntriesMax: 10_000,
    awarenessStateBytesMax: 65_536,
    clientsMax: 1_000_000,
    valueDepthMax: 128,
    idBytesMax: 128,
    epochBytesMax: 64,
    featuresMax: 64,
    reasonBytesMax: 1024,
    strongKeyBytesMax: 512,
    strongValueBytesMax: 65_536,
    strongPrefixesMax: 32,
    strongPrefixBytesMax: 128,
    strongDeadlineMsMax: 600_000,
  })
})

test('P40 the offer is skein=1 in the query', () => {
  const url = new URL(`ws://h/space?${NEGOTIATION_PARAM}=${NEGOTIATION_VALUE}`)
  expect(url.search).toBe('?skein=1')
})
