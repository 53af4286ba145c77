import fc from 'fast-check'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { expect, test } from 'vitest'
import { Reader } from '../src/reader.js'
import { concat, encoded } from './support/bytes.js'
import { errorCodeOf } from './support/error-code.js'
import { randomString } from './support/random-doc.js'
import { check, eachSeed } from './support/seed.js'

const MAX = Number.MAX_SAFE_INTEGER

/** Both sides of every place where the encoding grows by a byte, and the ends of the range. */
const BOUNDARIES = [
  0,
  1,
  ...[6, 7, 13, 14, 20, 21, 31, 32, 48, 49, 52].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]),
  MAX - 1,
  MAX,
]

const uint = (value: number) => encoded((encoder) => encoding.writeVarUint(encoder, value))
const int = (value: number) => encoded((encoder) => encoding.writeVarInt(encoder, value))

test.each(BOUNDARIES)('P11 varUint %d is read as lib0 writes it', (value) => {
  const reader = new Reader(concat(uint(value), [1]))
  expect(reader.varUint()).toBe(value)
  expect(reader.remaining).toBe(1)
})

test.each([...BOUNDARIES, ...BOUNDARIES.map((n) => -n)])(
  'P12 varInt %d is read as lib0 writes it',
  (value) => {
    const reader = new Reader(concat(int(value), [1]))
    // toBe tells -0 from 0, and so does lib0.
    expect(reader.varInt()).toBe(value)
    expect(reader.remaining).toBe(1)
  },
)

test('P11 P12 integers over 2^53 - 1 are malformed', () => {
  const over = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]
  expect(errorCodeOf(() => new Reader(Uint8Array.from(over)).varUint())).toBe('malformed')
  const intOver = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]
  expect(errorCodeOf(() => new Reader(Uint8Array.from(intOver)).varInt())).toBe('malformed')
  intOver[0] = 0xc0
  expect(errorCodeOf(() => new Reader(Uint8Array.from(intOver)).varInt())).toBe('malformed')
})

test('P11 P12 integers may be padded with zeros to 8 bytes and no further', () => {
  const padded = (length: number) => Uint8Array.from([0x85, ...Array(length - 2).fill(0x80), 0])
  for (let length = 2; length <= 8; length++) {
    expect(new Reader(padded(length)).varUint()).toBe(5)
    expect(new Reader(padded(length)).varInt()).toBe(5)
  }
  expect(errorCodeOf(() => new Reader(padded(9)).varUint())).toBe('malformed')
  expect(errorCodeOf(() => new Reader(padded(9)).varInt())).toBe('malformed')
  // It stops there instead of reading on for as long as the input pleases.
  const reader = new Reader(padded(1000))
  expect(errorCodeOf(() => reader.varUint())).toBe('malformed')
  expect(reader.pos).toBe(8)
})

test('P11 P12 integers agree with lib0 on random bytes, and refuse only what is over the range', () => {
  const bytes = fc.uint8Array({ maxLength: 10 }).map((array) => array.map((b, i) => (i < 8 ? b : b & 0x7f)))
  const compare = (ours: (r: Reader) => number, theirs: (d: decoding.Decoder) => number) =>
    check(
      'P11',
      5_000,
      fc.property(bytes, (input) => {
        const reader = new Reader(input)
        const decoder = decoding.createDecoder(input)
        let value: number | undefined
        const code = errorCodeOf(() => {
          value = ours(reader)
        })
        if (code === undefined) {
          expect(value).toBe(theirs(decoder))
          expect(reader.pos).toBe(decoder.pos)
          return
        }
        const ended = input.every((b) => b >= 0x80) && input.length < 8
        expect(code).toBe(ended ? 'truncated' : 'malformed')
        // lib0 lets its last byte exceed the range; it must at least not hold a number that fits.
        if (!ended && reader.pos < 8) expect(Math.abs(theirs(decoder))).toBeGreaterThan(MAX)
      }),
    )
  compare(
    (reader) => reader.varUint(),
    (decoder) => decoding.readVarUint(decoder),
  )
  compare(
    (reader) => reader.varInt(),
    (decoder) => decoding.readVarInt(decoder),
  )
})

test('P13 bytes come as a view, and only if all of them are there', () => {
  const input = Uint8Array.of(2, 7, 8, 9)
  const view = new Reader(input).varBytes(10, 'bytes')
  expect([...view]).toEqual([7, 8])
  expect(view.buffer).toBe(input.buffer)
  expect(errorCodeOf(() => new Reader(Uint8Array.of(4, 7, 8, 9)).varBytes(10, 'bytes'))).toBe('truncated')
  expect(errorCodeOf(() => new Reader(input).varBytes(1, 'bytes'))).toBe('too-large')
})

test('P14 strings are read as lib0 writes them, byte order marks and all', () => {
  eachSeed('P14', 300, (random) => {
    const text = Buffer.from(randomString(random)).toString() // without halves of surrogate pairs
    const input = encoded((encoder) => encoding.writeVarString(encoder, text))
    expect(new Reader(input).varString(1_000, 'text')).toBe(text)
  })
  const marked = encoded((encoder) => encoding.writeVarString(encoder, '\ufeffa'))
  expect(new Reader(marked).varString(10, 'text')).toBe('\ufeffa')
})
