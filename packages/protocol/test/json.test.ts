import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkJson } from '../src/json.js'
import { errorCodeOf } from './support/error-code.js'
import { mutate } from './support/mutate.js'
import { check, eachSeed } from './support/seed.js'

const DEPTH_MAX = 128

/** Whether `checkJson` and `JSON.parse` give the same answer. Only for valid UTF-8, as `checkJson` demands. */
function agrees(text: string): boolean {
  let valid = true
  try {
    JSON.parse(text)
  } catch {
    valid = false
  }
  const code = errorCodeOf(() => checkJson(new TextEncoder().encode(text), DEPTH_MAX))
  return code === (valid ? undefined : 'malformed')
}

test.each([
  ...['null', 'true', 'false', '0', '-0', '-1.5e+10', '1E5', '0.0', '1e-0', '""', '"a"', '[]', '{}'],
  ...[' \t\r\n[ 1 , 2 ] ', '{"a":{"b":[null]},"a":1}', '"\\u00e9\\ud800\\n\\/\\""', '"\u007f\u2028"'],
  ...[
    '',
    ' ',
    'nul',
    'nulll',
    'True',
    'undefined',
    'NaN',
    '01',
    '-',
    '+1',
    '.5',
    '1.',
    '1e',
    '1e+',
    '0x1',
    '--1',
  ],
  ...[
    '"',
    '"\\x"',
    '"\\u12g4"',
    '"\\u12',
    '"\n"',
    '"\t"',
    "'a'",
    '[',
    ']',
    '[1',
    '[1,]',
    '[,1]',
    '[1 2]',
    '[}',
  ],
  ...['{', '{"a"}', '{"a":}', '{"a":1,}', '{a:1}', '{1:1}', '{"a" 1}', '{"a":1 "b":2}', '1 1', '[] []'],
  ...['\ufeff1', '\u00a01', '1\u0000', '1\v', '/**/1', '"\\', '"\\u', '{"a":1,,"b":2}'],
])('P15 %j is judged as JSON.parse does', (text) => {
  expect(agrees(text)).toBe(true)
})

test('P15 every character is judged as JSON.parse does: alone, in a string, behind a backslash', () => {
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code)
    for (const text of [character, `"${character}"`, `"\\${character}"`, `1${character}`, `[${character}]`]) {
      expect(agrees(text), JSON.stringify(text)).toBe(true)
    }
  }
})

test('P15 random JSON is accepted', () => {
  check(
    'P15',
    500,
    fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom(undefined, 1, '\t'), (text, space) =>
      agrees(JSON.stringify(JSON.parse(text), null, space)),
    ),
  )
})

test('P15 mutated JSON is judged as JSON.parse does', () => {
  const samples = fc.sample(fc.json({ maxDepth: 3 }), { seed: 1, numRuns: 200 })
  // Characters that JSON is made of, so that many mutations stay valid.
  const donor = new TextEncoder().encode('{"a":[1,-2.5e+3,true,null,"\\u00e9\\n"]}, \t01')
  eachSeed('P15', 40, (random) => {
    for (let i = 0; i < 300; i++) {
      const bytes = mutate(random, new TextEncoder().encode(random.pick(samples)), donor)
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
      if (!agrees(text)) throw new Error(`judged otherwise: ${JSON.stringify(text)}`)
    }
  })
})

test.each([
  ['[', ']'],
  ['{"a":', '}'],
])('P15 %s may be nested up to the limit', (open, close) => {
  const nested = (depth: number) => new TextEncoder().encode(`${open.repeat(depth)}0${close.repeat(depth)}`)
  expect(errorCodeOf(() => checkJson(nested(DEPTH_MAX), DEPTH_MAX))).toBeUndefined()
  expect(errorCodeOf(() => checkJson(nested(DEPTH_MAX + 1), DEPTH_MAX))).toBe('too-large')
  expect(errorCodeOf(() => checkJson(nested(1_000_000), DEPTH_MAX))).toBe('too-large')
})
