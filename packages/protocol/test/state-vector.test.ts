import fc from 'fast-check'
import * as encoding from 'lib0/encoding'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { decodeStateVector, encodeStateVector, LIMITS } from '../src/index.js'
import { encoded, hex } from './support/bytes.js'
import { errorCodeOf } from './support/error-code.js'
import { randomHistory } from './support/random-doc.js'
import { check, eachSeed } from './support/seed.js'

const number = fc.oneof(fc.nat(300), fc.maxSafeNat())
const vectors = fc.array(fc.tuple(number, number), { maxLength: 20 }).map((entries) => new Map(entries))

test('P64 a state vector survives encoding and decoding, and yjs reads the same', () => {
  check(
    'P64',
    1_000,
    fc.property(vectors, (vector) => {
      const bytes = encodeStateVector(vector)
      expect(decodeStateVector(bytes)).toEqual(vector)
      expect(Y.decodeStateVector(bytes)).toEqual(vector)
    }),
  )
})

test('P64 a state vector is encoded as yjs encodes it, byte for byte', () => {
  eachSeed('P64', 100, (random) => {
    for (const doc of randomHistory(random, 10).docs) {
      const theirs = Y.encodeStateVector(doc)
      const vector = decodeStateVector(theirs)
      expect(vector).toEqual(Y.decodeStateVector(theirs))
      // The order of entries in the map must not matter.
      expect(hex(encodeStateVector(new Map([...vector].reverse())))).toBe(hex(theirs))
    }
  })
})

test('P64 a state vector with bytes behind it is malformed, one that is cut is truncated', () => {
  expect(errorCodeOf(() => decodeStateVector(Uint8Array.of(1, 2, 3, 0)))).toBe('malformed')
  expect(errorCodeOf(() => decodeStateVector(Uint8Array.of(2, 2, 3)))).toBe('truncated')
  expect(errorCodeOf(() => decodeStateVector(new Uint8Array(0)))).toBe('truncated')
})

test('P64 more clients than the limit are too large before any is read', () => {
  const count = encoded((encoder) => encoding.writeVarUint(encoder, LIMITS.clientsMax + 1))
  expect(errorCodeOf(() => decodeStateVector(count))).toBe('too-large')
})

test('P64 of two entries for a client the later counts, as in yjs', () => {
  const bytes = Uint8Array.of(2, 7, 1, 7, 9)
  expect(decodeStateVector(bytes)).toEqual(new Map([[7, 9]]))
  expect(Y.decodeStateVector(bytes)).toEqual(new Map([[7, 9]]))
})
