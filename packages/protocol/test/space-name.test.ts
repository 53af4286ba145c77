import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkSpaceName, LIMITS, spaceNameFromPath, spaceNameToPath } from '../src/index.js'
import { errorCodeOf } from './support/error-code.js'
import { check } from './support/seed.js'

/** What `new WebSocket(url)` and Node's `ws` make of a URL before they send its path. */
function requestPath(url: string): string {
  return new URL(url).pathname
}

const NAMES = [
  ...[
    'a',
    'team/plan',
    'a b',
    ' a ',
    'ä',
    '家/灯',
    '\u{1f9f6}',
    'a?b',
    'a#b',
    'a%b',
    '%41',
    '%2e',
    'a/%2e%2e/b',
  ],
  ...[
    'a+b',
    'a&b=c',
    '"<>`{}|^[]',
    "'",
    ':@!$,;*()~',
    '...',
    'a/.../b',
    '.a',
    'a.',
    '%',
    '%zz',
    '\u0085',
    '\u2028',
  ],
  ...[
    'C:',
    'C|',
    '\ufeff',
    'x'.repeat(LIMITS.spaceNameCharsMax),
    '\u{1f9f6}'.repeat(LIMITS.spaceNameCharsMax / 2),
  ],
]

test.each(NAMES)('P71 the space %j is asked for by its URL', (name) => {
  const path = spaceNameToPath(name)
  expect(path).toMatch(/^[\x21-\x7e]+$/)
  expect(spaceNameFromPath(requestPath(`ws://h/${path}`))).toBe(name)
  expect(spaceNameFromPath(requestPath(`ws://h/${path}?skein=1`))).toBe(name)
})

// Characters that mean something in URLs come up often.
const character = fc.oneof(
  fc.constantFrom(...'/.%?#\\:@&=+ 2eE5cC|^[]{}"<>`\''),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
)
const anyText = fc.array(character, { maxLength: 20 }).map((characters) => characters.join(''))

test('P70 P71 whatever passes as a name survives its URL, and nothing else does', () => {
  check(
    'P71',
    3_000,
    fc.property(anyText, (name) => {
      const code = errorCodeOf(() => checkSpaceName(name))
      if (code === undefined) {
        expect(spaceNameFromPath(requestPath(`ws://h/${spaceNameToPath(name)}`))).toBe(name)
      } else {
        expect(code).toBe('bad-name')
        expect(errorCodeOf(() => spaceNameToPath(name))).toBe('bad-name')
      }
    }),
  )
})

test('P72 any request path gives a name that passes, or a typed refusal', () => {
  check(
    'P72',
    3_000,
    fc.property(anyText, (text) => {
      const code = errorCodeOf(() => checkSpaceName(spaceNameFromPath(`/${text}`)))
      expect([undefined, 'bad-name']).toContain(code)
    }),
  )
})

/**
 * Whether y-websocket, which joins server URL, slash and room name as they are, can ask for this name:
 * what URLs give a meaning to, and blanks at the end of the URL, it cannot send.
 */
function stockCanCarry(name: string): boolean {
  return !/[?#%]/.test(name) && name === name.trimEnd()
}

test.each(NAMES.filter(stockCanCarry))('P73 a stock client that joins %j gets to the same space', (name) => {
  expect(spaceNameFromPath(requestPath(`ws://h/${name}`))).toBe(name)
})

test('P73 a stock client gets to the same space by any name it can carry', () => {
  check(
    'P73',
    3_000,
    fc.property(anyText, (name) => {
      fc.pre(errorCodeOf(() => checkSpaceName(name)) === undefined && stockCanCarry(name))
      expect(spaceNameFromPath(requestPath(`ws://h/${name}`))).toBe(name)
    }),
  )
})

test.each([
  ['', 'is empty'],
  ['x'.repeat(LIMITS.spaceNameCharsMax + 1), '129 characters'],
  ['a\u0000', 'control character'],
  ['a\nb', 'control character'],
  ['a\u007f', 'control character'],
  ['a\\b', 'backslash'],
  ['\ud800', 'well-formed'],
  ['a\udc00b', 'well-formed'],
  ['/a', 'empty segment'],
  ['a/', 'empty segment'],
  ['a//b', 'empty segment'],
  ['/', 'empty segment'],
  ['.', 'segment "."'],
  ['..', 'segment ".."'],
  ['a/../b', 'segment ".."'],
  ['a/.', 'segment "."'],
])('P70 the name %j is refused, saying that it %s', (name, why) => {
  expect(() => checkSpaceName(name)).toThrow(expect.objectContaining({ code: 'bad-name' }))
  expect(() => checkSpaceName(name)).toThrow(why)
})

test.each([
  '',
  'a',
  '*',
  'ab',
  'http://h/a',
  '/',
  '/%',
  '/%zz',
  '/%ff',
  '/%c0%80',
  '/a%00',
  '/a%5cb',
  '/%2e%2e',
  '/a%2f',
])('P72 the request path %j is refused', (path) => {
  expect(errorCodeOf(() => spaceNameFromPath(path))).toBe('bad-name')
})

test('P72 an encoded slash is a slash', () => {
  expect(spaceNameFromPath('/a%2Fb')).toBe('a/b')
})
