import { expect, test } from 'vitest'
import {
  decodeFrame,
  encodeFrame,
  LIMITS,
  type StrongAnswer,
  type StrongRequest,
  type StrongWrite,
} from '../src/index.js'
import { errorCodeOf } from './support/error-code.js'

const WRITE: StrongWrite = {
  kind: 'write',
  key: 'k',
  deadlineMs: 1,
  id: { client: 'c', sequence: 1 },
  since: 0,
  settled: 0,
  condition: { kind: 'none' },
  keepsFence: false,
  data: '1',
}

const requestFrame = (request: StrongRequest, number = 1) =>
  encodeFrame({ type: 'strong-request', number, request })
const answerFrame = (answer: StrongAnswer, number = 1) =>
  encodeFrame({ type: 'strong-answer', number, answer })
const eventFrame = (key: string, value: string) =>
  encodeFrame({ type: 'strong-event', key, entry: { value, version: 1, fence: 1 } })
const codeOf = (frame: Uint8Array) => errorCodeOf(() => decodeFrame(frame))

test.each<[string, Uint8Array]>([
  ['P81 an empty key', requestFrame({ ...WRITE, key: '' })],
  ['P81 an empty key of an event', eventFrame('', '1')],
  ['P81 a value that is not JSON', requestFrame({ ...WRITE, data: '{' })],
  ['P81 a value that is not JSON in an event', eventFrame('k', 'unlocked')],
  ['P81 an empty client', requestFrame({ ...WRITE, id: { client: '', sequence: 1 } })],
  ['P81 a sequence of 0', requestFrame({ ...WRITE, id: { client: 'c', sequence: 0 } })],
  ['P81 an empty prefix', requestFrame({ kind: 'declare', deadlineMs: 1, prefixes: [''] })],
  ['P81 an empty decided prefix', answerFrame({ kind: 'declared', prefixes: [''] })],
  ['P81 a value that is neither there nor not', Uint8Array.of(77, 1, 0x6b, 1, 1, 2, 1, 0x31)],
  ['P82 a request of number 0', requestFrame(WRITE, 0)],
  ['P82 a request of an unknown kind', Uint8Array.of(75, 1, 6, 1, 0x6b)],
  ['P82 a deadline of 0', requestFrame({ ...WRITE, deadlineMs: 0 })],
  ['P82 an unknown condition', Uint8Array.of(75, 1, 1, 1, 0x6b, 1, 1, 0x63, 1, 0, 0, 5, 0, 0)],
  ['P10 P82 a flag of 2', Uint8Array.of(75, 1, 1, 1, 0x6b, 1, 1, 0x63, 1, 0, 0, 0, 2, 0)],
  ['P83 an answer of number 0', answerFrame({ kind: 'unknown' }, 0)],
  ['P83 an answer of an unknown kind', Uint8Array.of(76, 1, 9)],
  ['P83 an unknown reason', Uint8Array.of(76, 1, 5, 2)],
  ['P83 an unknown code', Uint8Array.of(76, 1, 8, 4, 0)],
])('%s is malformed', (_, frame) => {
  expect(codeOf(frame)).toBe('malformed')
})

const json = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`

test.each<[string, (size: number) => Uint8Array, number]>([
  ['P80 a key', (size) => requestFrame({ ...WRITE, key: 'x'.repeat(size) }), LIMITS.strongKeyBytesMax],
  ['P80 a value', (size) => requestFrame({ ...WRITE, data: json(size) }), LIMITS.strongValueBytesMax],
  ['P80 the value of an event', (size) => eventFrame('k', json(size)), LIMITS.strongValueBytesMax],
  [
    'P80 a client',
    (size) => requestFrame({ ...WRITE, id: { client: 'x'.repeat(size), sequence: 1 } }),
    LIMITS.idBytesMax,
  ],
  [
    'P80 a prefix',
    (size) => requestFrame({ kind: 'declare', deadlineMs: 1, prefixes: ['x'.repeat(size)] }),
    LIMITS.strongPrefixBytesMax,
  ],
  [
    'P80 a list of prefixes',
    (size) => answerFrame({ kind: 'declared', prefixes: Array(size).fill('x') }),
    LIMITS.strongPrefixesMax,
  ],
  ['P80 a deadline', (size) => requestFrame({ ...WRITE, deadlineMs: size }), LIMITS.strongDeadlineMsMax],
  [
    'P80 a message',
    (size) => answerFrame({ kind: 'refused', code: 'malformed', message: 'x'.repeat(size) }),
    LIMITS.reasonBytesMax,
  ],
])('%s is read at its limit, and too large over it', (_, frameOf, max) => {
  expect(codeOf(frameOf(max))).toBeUndefined()
  expect(codeOf(frameOf(max + 1))).toBe('too-large')
})

test('P15 a strong value is nested 128 deep at most, and no stack overflows', () => {
  const nested = (depth: number) => requestFrame({ ...WRITE, data: '['.repeat(depth) + ']'.repeat(depth) })
  expect(codeOf(nested(128))).toBeUndefined()
  expect(codeOf(nested(32_000))).toBe('too-large')
})
