import * as encoding from 'lib0/encoding'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { scanUpdate } from '../src/index.js'
import { encoded } from './support/bytes.js'
import { errorCodeOf } from './support/error-code.js'
import { scanned } from './support/scanned.js'

// Each of these decodes in yjs, and then does harm there. `harm` shows it, so that a check that a later
// version of yjs makes needless is noticed.

type Write = (encoder: encoding.Encoder) => void

const uints =
  (...values: number[]): Write =>
  (encoder) => {
    for (const value of values) encoding.writeVarUint(encoder, value)
  }
/** The info byte of a struct, and the numbers behind it. */
const struct =
  (info: number, ...values: number[]): Write =>
  (encoder) => {
    encoding.writeUint8(encoder, info)
    uints(...values)(encoder)
  }
const text =
  (value: string): Write =>
  (encoder) =>
    encoding.writeVarString(encoder, value)
const any =
  (value: encoding.AnyEncodable): Write =>
  (encoder) =>
    encoding.writeAny(encoder, value)

function update(...parts: Write[]): Uint8Array {
  return encoded((encoder) => {
    for (const part of parts) part(encoder)
  })
}

const NO_DELETIONS = uints(0)
const ORIGIN = 0x80
const RIGHT_ORIGIN = 0x40
const GC = 0
const DELETED = 1
const STRING = 4
const DOC = 9
const SKIP = 10
/** The head of an update with one client's structs, starting at clock 0. */
const client = (id: number, structs: number) => uints(1, structs, id, 0)
/** A string of three units in the root type `t`. */
const abc: Write[] = [struct(STRING, 1), text('t'), text('abc')]

function applied(...updates: Uint8Array[]): Y.Doc {
  const doc = new Y.Doc()
  for (const u of updates) Y.applyUpdate(doc, u)
  return doc
}

describe.each<[string, Uint8Array, (u: Uint8Array) => void]>([
  [
    'an origin in the struct itself',
    update(client(1, 1), struct(ORIGIN | STRING, 1, 0), text('a'), NO_DELETIONS),
    (u) => expect(() => applied(u)).toThrow(),
  ],
  [
    'an origin later in the same client',
    update(client(1, 2), ...abc, struct(ORIGIN | STRING, 1, 3), text('d'), NO_DELETIONS),
    (u) => expect(() => applied(u)).toThrow(),
  ],
  [
    'a right origin later in the same client',
    update(client(1, 2), ...abc, struct(RIGHT_ORIGIN | STRING, 1, 9), text('d'), NO_DELETIONS),
    (u) => expect(() => applied(u)).toThrow(),
  ],
  [
    'a parent later in the same client',
    update(client(1, 2), ...abc, struct(STRING, 0, 1, 3), text('d'), NO_DELETIONS),
    (u) => expect(() => applied(u)).toThrow(),
  ],
  ['a deleted range of length 0', update(uints(0, 1, 7, 1, 5, 0)), (u) => expect(() => applied(u)).toThrow()],
  [
    'deleted ranges out of order',
    update(uints(0, 1, 7, 2, 5, 1, 2, 1)),
    (u) => expect(() => Y.encodeStateAsUpdate(applied(u, u))).not.toThrow(),
  ],
  [
    'deleted ranges that overlap',
    update(uints(0, 1, 7, 2, 2, 3, 4, 1)),
    (u) =>
      expect(pendingDeletions(u)).not.toEqual([
        [7, 2, 3],
        [7, 4, 1],
      ]),
  ],
  [
    'a client in the delete set twice',
    update(uints(0, 2, 7, 1, 5, 1, 7, 1, 2, 1)),
    (u) =>
      expect(pendingDeletions(u)).not.toEqual([
        [7, 2, 1],
        [7, 5, 1],
      ]),
  ],
  [
    'a skip of length 0',
    update(uints(1, 2, 5, 0), struct(ORIGIN | STRING, 9, 0), text('a'), struct(SKIP, 0), NO_DELETIONS),
    (u) => expect(() => applied(u)).toThrow(),
  ],
  [
    'clients in ascending order',
    update(
      uints(2, 1, 1, 0),
      ...abc,
      uints(1, 5, 3),
      struct(ORIGIN | STRING, 5, 2),
      text('def'),
      NO_DELETIONS,
    ),
    (u) => {
      const before = update(client(5, 1), ...abc, NO_DELETIONS)
      expect(applied(u, before).getText('t').toString()).toContain('def')
      expect(
        applied(Y.mergeUpdates([u, before]))
          .getText('t')
          .toString(),
      ).not.toContain('abcdef')
    },
  ],
  [
    'options of a subdocument that are no object',
    update(client(1, 1), struct(DOC, 1), text('t'), text('guid'), any(null), NO_DELETIONS),
    (u) => expect(() => applied(u)).toThrow(),
  ],
  [
    'a guid in the options of a subdocument',
    update(client(1, 1), struct(DOC, 1), text('t'), text('guid'), any({ guid: [1] }), NO_DELETIONS),
    (u) => expect(() => Y.encodeStateAsUpdate(applied(u))).toThrow(),
  ],
  [
    'a gcFilter in the options of a subdocument',
    update(client(1, 1), struct(DOC, 1), text('t'), text('guid'), any({ gcFilter: 1 }), NO_DELETIONS),
    (u) => {
      const [subdoc] = [...applied(u).subdocs]
      subdoc!.getArray('a').insert(0, [1])
      expect(() => subdoc!.getArray('a').delete(0, 1)).toThrow()
    },
  ],
])('P62 %s', (_, bytes, harm) => {
  test('P62 is malformed', () => {
    expect(errorCodeOf(() => scanUpdate(bytes))).toBe('malformed')
  })
  test('P62 does harm in yjs', () => {
    harm(bytes)
  })
})

/** What a fresh document makes of deletions that it cannot apply yet. */
function pendingDeletions(u: Uint8Array): number[][] {
  const { ds } = Y.decodeUpdate(Y.encodeStateAsUpdate(applied(u)))
  return [...ds.clients].flatMap(([id, ranges]) => ranges.map(({ clock, len }) => [id, clock, len]))
}

test.each<[string, Uint8Array]>([
  ['a struct of length 0', update(client(1, 1), struct(DELETED, 1), text('t'), uints(0), NO_DELETIONS)],
  ['garbage collected structs of length 0', update(client(1, 1), struct(GC, 0), NO_DELETIONS)],
  ['an empty string', update(client(1, 1), struct(STRING, 1), text('t'), text(''), NO_DELETIONS)],
  ['content of an unknown kind', update(client(1, 1), struct(11, 1), text('t'), NO_DELETIONS)],
  ['a skip with flags', update(client(1, 1), struct(ORIGIN | SKIP, 1, 9, 9, 1), NO_DELETIONS)],
  ['a shared type of an unknown kind', update(client(1, 1), struct(7, 1), text('t'), uints(7), NO_DELETIONS)],
  ['a value of an unknown type', update(client(1, 1), struct(8, 1), text('t'), uints(1, 115), NO_DELETIONS)],
  [
    'an embed that is not JSON',
    update(client(1, 1), struct(5, 1), text('t'), text('undefined'), NO_DELETIONS),
  ],
  ['a client twice', update(uints(2, 1, 5, 0), ...abc, uints(1, 5, 3), ...abc, NO_DELETIONS)],
  ['bytes behind it', update(uints(0, 0, 0))],
])('P62 an update with %s is malformed', (_, bytes) => {
  expect(errorCodeOf(() => scanUpdate(bytes))).toBe('malformed')
})

test('P62 clocks up to 2^53 - 1 pass and a Y.Doc can keep them; one more is malformed', () => {
  const max = Number.MAX_SAFE_INTEGER
  const structs = (clock: number) => update(uints(1, 1, 5, clock), ...abc, NO_DELETIONS)
  const deletion = (clock: number) => update(uints(0, 1, 7, 1, clock, 3))
  const origin = update(
    client(5, 2),
    struct(ORIGIN | RIGHT_ORIGIN | STRING, 9, max, 9, 0),
    text('a'),
    struct(ORIGIN | STRING, 9, max),
    text('b'),
    NO_DELETIONS,
  )
  for (const u of [structs(max - 3), deletion(max - 3), origin]) {
    expect(errorCodeOf(() => scanUpdate(u))).toBeUndefined()
    const kept = Y.encodeStateAsUpdate(applied(u, u))
    expect(scanned(kept)).toEqual(scanned(u))
  }
  expect(errorCodeOf(() => scanUpdate(structs(max - 2)))).toBe('malformed')
  expect(errorCodeOf(() => scanUpdate(deletion(max - 2)))).toBe('malformed')
})

// Where it takes the document to see the harm, scanUpdate cannot help; whoever applies updates has to.
const KEYED = 0x20
const ANY = 8
const MAP_IN_ROOT: Write[] = [struct(7, 1), text('t'), uints(1)]

test('P63 a map entry of several clocks, split by a neighbour, makes yjs throw when its map is deleted', () => {
  const values: Write[] = [any(1), any(2), any(3)]
  const entry: Write[] = [struct(ANY | KEYED, 0, 1, 0), text('k'), uints(3), ...values]
  const splitter: Write[] = [struct(ORIGIN | ANY, 1, 1), uints(1), any(4)]
  const deletion = uints(1, 1, 1, 0, 1)
  const whole = update(client(1, 3), ...MAP_IN_ROOT, ...entry, ...splitter, deletion)
  expect(errorCodeOf(() => scanUpdate(whole))).toBeUndefined()
  expect(() => applied(whole)).toThrow('Unexpected case')
  // Each part is what some replica might well write, so no part can be refused.
  for (const part of [
    update(client(1, 2), ...MAP_IN_ROOT, ...entry, NO_DELETIONS),
    update(uints(1, 1, 1, 4), ...splitter, NO_DELETIONS),
    update(uints(0), deletion),
  ]) {
    expect(errorCodeOf(() => scanUpdate(part))).toBeUndefined()
  }
})

test('P63 different structs under the same clocks make yjs throw, or replicas differ', () => {
  const types = update(client(1, 1), ...MAP_IN_ROOT, NO_DELETIONS)
  const string = update(client(1, 1), struct(STRING, 1), text('t'), text('x'), NO_DELETIONS)
  expect(errorCodeOf(() => scanUpdate(types))).toBeUndefined()
  expect(errorCodeOf(() => scanUpdate(string))).toBeUndefined()
  const json = (doc: Y.Doc) => JSON.stringify(doc.getArray('t').toJSON())
  expect(json(applied(types, string))).not.toBe(json(applied(string, types)))
})

test('P63 shared types nested ten thousand deep pass one by one, and deleting them overflows the stack in yjs', () => {
  const depth = 10_000
  const nested: Write[] = [struct(7, 1), text('t'), uints(0)]
  for (let i = 1; i < depth; i++) nested.push(struct(7, 0, 1, i - 1, 0))
  const whole = update(client(1, depth), ...nested, NO_DELETIONS)
  expect(errorCodeOf(() => scanUpdate(whole))).toBeUndefined()
  const doc = applied(whole)
  expect(() => doc.getArray('t').delete(0, 1)).toThrow(RangeError)
})
