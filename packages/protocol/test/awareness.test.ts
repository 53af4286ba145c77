import * as encoding from 'lib0/encoding'
import { expect, test } from 'vitest'
import { type AwarenessEntry, LIMITS, readAwarenessEntries, writeAwarenessEntries } from '../src/index.js'
import { concat, encoded } from './support/bytes.js'
import { errorCodeOf } from './support/error-code.js'

const json = (text: string) => new TextEncoder().encode(text)

test('P24 entries survive writing and reading', () => {
  const entries: AwarenessEntry[] = [
    { client: 0, clock: 0, state: json('null') },
    { client: Number.MAX_SAFE_INTEGER, clock: Number.MAX_SAFE_INTEGER, state: json('{"ä":[1]}') },
  ]
  expect(readAwarenessEntries(writeAwarenessEntries(entries))).toEqual(entries)
  expect(readAwarenessEntries(writeAwarenessEntries([]))).toEqual([])
})

test.each(['', 'undefined', '{', '[1,]', '"\u0001"', 'null '.repeat(2)])(
  'P24 a state that is not JSON is malformed: %j',
  (text) => {
    const update = writeAwarenessEntries([{ client: 1, clock: 1, state: json(text) }])
    expect(errorCodeOf(() => readAwarenessEntries(update))).toBe('malformed')
  },
)

test('P24 a state that is not UTF-8 is malformed', () => {
  const update = writeAwarenessEntries([{ client: 1, clock: 1, state: Uint8Array.of(0x22, 0xff, 0x22) }])
  expect(errorCodeOf(() => readAwarenessEntries(update))).toBe('malformed')
})

test('P24 bytes behind the entries are malformed', () => {
  expect(errorCodeOf(() => readAwarenessEntries(Uint8Array.of(0, 0)))).toBe('malformed')
})

test('P24 a state at its limit passes, one byte more is too large', () => {
  const state = (length: number) => json(`"${'x'.repeat(length - 2)}"`)
  const update = (length: number) => writeAwarenessEntries([{ client: 1, clock: 1, state: state(length) }])
  expect(readAwarenessEntries(update(LIMITS.awarenessStateBytesMax))).toHaveLength(1)
  const over = update(LIMITS.awarenessStateBytesMax + 1)
  expect(errorCodeOf(() => readAwarenessEntries(over))).toBe('too-large')
})

test('P24 entries at their limit pass, one more is too large before any is read', () => {
  const entry = writeAwarenessEntries([{ client: 1, clock: 1, state: json('1') }]).subarray(1)
  const count = (n: number) => encoded((encoder) => encoding.writeVarUint(encoder, n))
  const full = concat(count(LIMITS.awarenessEntriesMax), ...Array(LIMITS.awarenessEntriesMax).fill(entry))
  expect(readAwarenessEntries(full)).toHaveLength(LIMITS.awarenessEntriesMax)
  expect(errorCodeOf(() => readAwarenessEntries(count(LIMITS.awarenessEntriesMax + 1)))).toBe('too-large')
})
