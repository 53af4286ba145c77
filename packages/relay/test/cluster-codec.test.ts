import { type Ballot, type Configuration, type PeerMessage, type Register, ZERO_BALLOT } from '@skein/paxos'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter, MalformedBytes } from '../src/cluster/bytes.js'
import { CLUSTER_VERSION, decodeFrame, encodeHelloFrame, encodeMessageFrames } from '../src/cluster/frame.js'
import type { Hello } from '../src/cluster/hello.js'
import { CLUSTER_LIMITS } from '../src/cluster/limits.js'
import { MESSAGE_NUMBERS } from '../src/cluster/message-codec.js'
import { readRecord, writeRecord } from '../src/cluster/register-codec.js'
import { runSeed } from './helpers.js'

const seed = runSeed('packages/relay/test/cluster-codec.test.ts')

const BALLOT: Ballot = { counter: 300, proposer: 'r1', incarnation: 2 }
const REGISTER: Register = {
  version: 7,
  fence: 5,
  data: '"ö"',
  forgotten: 1,
  clients: [{ client: 'c', settled: 3, results: [{ sequence: 4, applied: true, version: 7, fence: 5 }] }],
}
const CONFIGURATION: Configuration = {
  epoch: 2,
  members: [{ id: 'r1', store: 's1' }],
  next: [{ id: 'r2', store: 's2' }],
}
const HELLO: Hello = {
  id: 'r1',
  store: 's1',
  listed: ['r1', 'r2'],
  founding: [{ id: 'r1', store: 's1' }],
  cluster: 'c1',
  addresses: { r2: 'ws://127.0.0.1:4002' },
}

/** The bytes of each message, after the two that begin a frame. What is stored and sent for good stays. */
const GOLDEN: { readonly [kind in PeerMessage['kind']]: readonly [PeerMessage & { kind: kind }, string] } = {
  prepare: [{ kind: 'prepare', epoch: 1, key: 'k', ballot: BALLOT }, '0101016bac0202723102'],
  accept: [
    {
      kind: 'accept',
      epoch: 1,
      key: 'k',
      ballot: BALLOT,
      next: { ...BALLOT, counter: 301 },
      register: REGISTER,
    },
    '0201016bac0202723102ad020272310207050104' + '22c3b622' + '010101630301' + '04010705',
  ],
  read: [
    { kind: 'read', epoch: 1, key: 'k', round: BALLOT, known: ZERO_BALLOT },
    '0301016bac0202723102000000',
  ],
  commit: [{ kind: 'commit', key: 'k', ballot: BALLOT }, '04016bac0202723102'],
  install: [{ kind: 'install', configuration: CONFIGURATION }, '050201027231027331' + '0101027232027332'],
  list: [{ kind: 'list', epoch: 1, after: '' }, '060100'],
  promised: [
    {
      kind: 'promised',
      key: 'k',
      ballot: BALLOT,
      accepted: ZERO_BALLOT,
      register: { ...REGISTER, clients: [], data: undefined },
    },
    '07016bac0202723102000000' + '0705000100',
  ],
  accepted: [{ kind: 'accepted', key: 'k', ballot: BALLOT }, '08016bac0202723102'],
  refused: [
    { kind: 'refused', key: 'k', ballot: BALLOT, promised: BALLOT },
    '09016bac0202723102ac0202723102',
  ],
  current: [
    { kind: 'current', key: 'k', round: BALLOT, accepted: BALLOT, register: undefined },
    '0a016bac0202723102ac020272310200',
  ],
  'other-epoch': [
    { kind: 'other-epoch', configuration: { epoch: 2, members: CONFIGURATION.members } },
    '0b020102723102733100',
  ],
  installed: [{ kind: 'installed', epoch: 2 }, '0c02'],
  listed: [
    { kind: 'listed', epoch: 3, after: 'a', keys: ['b', 'c'], isLast: false },
    '0d03016100' + '0201620163',
  ],
}

const HEAD = '0102'

describe('the frames between members', () => {
  test('K9 the bytes of each message are these, and stay so', () => {
    expect(CLUSTER_VERSION).toBe(1)
    expect(Object.keys(GOLDEN).sort()).toEqual(Object.keys(MESSAGE_NUMBERS).sort())
    for (const [message, hex] of Object.values(GOLDEN)) {
      const [frame] = encodeMessageFrames([message])
      expect(`${message.kind} ${frame!.toString('hex')}`).toBe(`${message.kind} ${HEAD}${hex}`)
      expect(decodeFrame(frame!)).toEqual({ kind: 'messages', messages: [message] })
    }
  })

  test('K9 many messages share a frame, up to a size', () => {
    const messages = Object.values(GOLDEN).map(([message]) => message)
    const [frame, ...more] = encodeMessageFrames(messages)
    expect(more).toEqual([])
    expect(decodeFrame(frame!)).toEqual({ kind: 'messages', messages })
    const data = 'x'.repeat(CLUSTER_LIMITS.dataBytesMax)
    const large: PeerMessage = { ...GOLDEN.accept[0], register: { ...REGISTER, data } }
    const frames = encodeMessageFrames(Array(5).fill(large))
    expect(frames.length).toBe(5)
    for (const one of frames) expect(one.length).toBeLessThan(CLUSTER_LIMITS.frameBytesMax)
  })

  test('K9 a hello comes out as it went in', () => {
    expect(decodeFrame(encodeHelloFrame(HELLO))).toEqual({ kind: 'hello', hello: HELLO })
    const fresh = { ...HELLO, founding: undefined, cluster: undefined }
    expect(decodeFrame(encodeHelloFrame(fresh))).toEqual({ kind: 'hello', hello: fresh })
  })

  test('K9 a hello that is not one is refused', () => {
    const wrong: object[] = [
      { id: '' },
      { id: 'a b' },
      { id: '__proto__' },
      { store: '' },
      { store: 'x'.repeat(129) },
      { listed: 'r1' },
      { listed: Array(8).fill('r1') },
      { founding: [{ id: 'r1' }] },
      { cluster: 7 },
      { addresses: { r2: 'http://127.0.0.1' } },
      { addresses: { r2: 'ws://127.0.0.1/path' } },
      { addresses: null },
    ]
    for (const part of wrong) {
      const frame = encodeHelloFrame({ ...HELLO, ...part } as Hello)
      expect(() => decodeFrame(frame), JSON.stringify(part)).toThrow(MalformedBytes)
    }
  })

  test('K9 what is too long, too many or above 2^53 is refused before anything is allocated', () => {
    const wrong = [
      '', // nothing
      '0202', // another version
      '0109', // another frame
      '010200', // no message 0
      '01020e', // no message 14
      '010201', // ends in the middle
      `${HEAD}0c8080808080808010`, // 2^53
      `${HEAD}0cffffffffffffffffff`, // endless
      `${HEAD}0400000000`, // an empty key
      `${HEAD}0401ff000000`, // a key that is no UTF-8
      `${HEAD}04ffffffffffff0f00`, // a key longer than all bytes
      `${HEAD}0d0001ffff03`, // more keys than bytes
      `${HEAD}0d000000`, // an empty page with more behind it
      `${HEAD}05010000`, // no members
      `${HEAD}0501020272310273310272310273310000`, // a member twice
      `${HEAD}0a016b09ac020272310202`, // neither yes nor no
    ]
    for (const hex of wrong) expect(() => decodeFrame(Buffer.from(hex, 'hex')), hex).toThrow(MalformedBytes)
    const tooLong = new ByteWriter()
    for (const byte of [1, 2, 4]) tooLong.byte(byte)
    tooLong.text('k'.repeat(CLUSTER_LIMITS.keyBytesMax + 1))
    for (const byte of [0, 0, 0]) tooLong.byte(byte)
    expect(() => decodeFrame(tooLong.finish())).toThrow(MalformedBytes)
  })

  test('K9 any bytes decode, or are malformed; nothing else happens', () => {
    const frames = Object.values(GOLDEN).map(([message]) => encodeMessageFrames([message])[0]!)
    const mutated = fc
      .tuple(
        fc.constantFrom(...frames, encodeHelloFrame(HELLO)),
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
        fc.nat(200),
      )
      .map(([frame, changes, length]) => {
        const bytes = Buffer.from(frame)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        return bytes.subarray(0, length < 150 ? bytes.length : length % bytes.length)
      })
    const random = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from([1, 2, ...bytes]))
    fc.assert(
      fc.property(fc.oneof(mutated, random), (bytes) => {
        try {
          decodeFrame(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytes)
        }
      }),
      { seed, numRuns: 5_000 },
    )
  })

  test('K9 every record comes out as it went in', () => {
    const counter = fc.maxSafeNat()
    const text = (maxLength: number) => fc.string({ unit: 'grapheme', maxLength })
    const ballot = fc.record({ counter, proposer: text(5), incarnation: counter })
    const result = fc.record({ sequence: counter, applied: fc.boolean(), version: counter, fence: counter })
    const client = fc.record({
      client: text(8),
      settled: counter,
      results: fc.array(result, { maxLength: 5 }),
    })
    const register = fc.record({
      version: counter,
      fence: counter,
      data: fc.option(text(50), { nil: undefined }),
      clients: fc.array(client, { maxLength: 5 }),
      forgotten: counter,
    })
    fc.assert(
      fc.property(fc.record({ promised: ballot, accepted: ballot, register }), (record) => {
        const writer = new ByteWriter()
        writeRecord(writer, record)
        const reader = new ByteReader(writer.finish())
        expect(readRecord(reader)).toEqual(record)
        reader.end()
      }),
      { seed },
    )
  })
})
