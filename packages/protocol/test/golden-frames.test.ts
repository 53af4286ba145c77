import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { decodeFrame, encodeFrame, MESSAGE_IDS, PROTOCOL_VERSION } from '../src/index.js'
import { concat, hex } from './support/bytes.js'
import { errorCodeOf } from './support/error-code.js'
import { GOLDEN, GOLDEN_TEXT } from './support/golden.js'

/** SHA-256 of everything that fixes the wire. See the test that compares it. */
const WIRE_HASH = '88a7eba037b2fbbb5bfa012c0eb3e9be2fca56970bdd9cfefc4d7e9df67564c2'

describe.each(GOLDEN)('P20 $name', ({ message, frame }) => {
  test('P20 decodes to its message', () => {
    expect(decodeFrame(frame)).toEqual(message)
  })

  test('P20 is encoded byte for byte', () => {
    expect(hex(encodeFrame(message))).toBe(hex(frame))
  })

  test('P2 is read the same with bytes behind it', () => {
    expect(decodeFrame(concat(frame, [0, 255, 1]))).toEqual(message)
  })

  test('P5 is truncated wherever it is cut', () => {
    // A message without the digest at its end is one, too.
    const optional = 'digest' in message && message.digest !== undefined ? 8 : 0
    const step = Math.ceil(frame.length / 200)
    for (let length = 0; length < frame.length - optional; length += step) {
      expect(errorCodeOf(() => decodeFrame(frame.subarray(0, length)))).toBe('truncated')
    }
  })
})

test('P20 every type of message has golden frames', () => {
  const types = new Set(GOLDEN.map(({ message }) => message.type))
  expect([...types].sort()).toEqual(Object.keys(MESSAGE_IDS).sort())
})

test('P24 byte arrays of a decoded message are views into its frame', () => {
  for (const { frame } of GOLDEN) {
    for (const value of Object.values(decodeFrame(frame))) {
      if (value instanceof Uint8Array) expect(value.buffer).toBe(frame.buffer)
    }
  }
})

test('P20 the wire changes only on purpose', () => {
  const wire = JSON.stringify([JSON.parse(GOLDEN_TEXT), MESSAGE_IDS, PROTOCOL_VERSION])
  const hash = createHash('sha256').update(wire).digest('hex')
  expect(
    hash,
    `The wire has changed. If that was not meant, undo it. If it was: bring SPEC.md up to date; raise
PROTOCOL_VERSION unless peers of the old version read the new frames (P2, P3) as well; keep every old
golden frame that must still decode; then set WIRE_HASH in this file to ${hash}.`,
  ).toBe(WIRE_HASH)
})
