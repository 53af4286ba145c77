import * as encoding from 'lib0/encoding'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { LIMITS, scanUpdate } from '../src/index.js'
import { encoded } from './support/bytes.js'
import { errorCodeOf } from './support/error-code.js'
import { randomHistory, updatesOf } from './support/random-doc.js'
import { randomUpdate } from './support/random-update.js'
import { decodedByYjs, scanned } from './support/scanned.js'
import { eachSeed } from './support/seed.js'

test('P60 P61 whatever yjs writes passes, and the ranges reported are those yjs reads', () => {
  eachSeed('P60', 100, (random) => {
    for (const update of updatesOf(random, randomHistory(random))) {
      const content = scanned(update)
      expect(content).toEqual(decodedByYjs(update))
      expect(endsOf(content.structs)).toEqual(Y.parseUpdateMeta(update))
    }
  })
})

/** First and last clock of each client, in the form of `Y.parseUpdateMeta`. */
function endsOf(structs: ReturnType<typeof scanned>['structs']) {
  const from = new Map<number, number>()
  const to = new Map<number, number>()
  for (const [client, clock, length] of structs) {
    if (!from.has(client)) from.set(client, clock)
    to.set(client, clock + length)
  }
  return { from, to }
}

test('P60 the random histories hold everything that an update can hold', () => {
  const seen = new Set<string>()
  eachSeed('P60', 60, (random) => {
    for (const update of updatesOf(random, randomHistory(random))) {
      for (const struct of Y.decodeUpdate(update).structs) {
        seen.add(struct instanceof Y.Item ? struct.content.constructor.name : struct.constructor.name)
        if (struct instanceof Y.Item && struct.content instanceof Y.ContentType) {
          seen.add(struct.content.type.constructor.name)
        }
      }
    }
  })
  const contents = ['Any', 'Binary', 'Deleted', 'Doc', 'Embed', 'Format', 'String', 'Type']
  const types = ['Array', 'Map', 'Text', 'XmlElement', 'XmlFragment', 'XmlHook', 'XmlText']
  const expected = [
    ...contents.map((name) => `Content${name}`),
    ...types.map((name) => `Y${name}`),
    'GC',
    'Skip',
  ]
  expect([...seen].map((name) => name.replace(/^_/, '')).sort()).toEqual(expected.sort())
})

test('P61 an update that is structurally right passes, and is read as yjs reads it', () => {
  let passed = 0
  eachSeed('P61', 2_000, (random) => {
    const update = randomUpdate(random)
    // It may hold a forbidden option of a subdocument.
    if (errorCodeOf(() => scanUpdate(update)) !== undefined) return
    passed++
    expect(scanned(update)).toEqual(decodedByYjs(update))
  })
  expect(passed).toBeGreaterThan(1_000)
})

test('P60 legacy JSON content passes, undefined included, one clock for each value', () => {
  const values = ['undefined', '{"a":[1]}', 'null']
  const update = encoded((encoder) => {
    for (const n of [1, 1, 5, 0, 2, 1]) encoding.writeVarUint(encoder, n)
    encoding.writeVarString(encoder, 'root')
    encoding.writeVarUint(encoder, values.length)
    for (const value of values) encoding.writeVarString(encoder, value)
    encoding.writeVarUint(encoder, 0)
  })
  expect(scanned(update)).toEqual({ structs: [[5, 0, 3]], deletions: [] })
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  expect(doc.getArray('root').toArray()).toEqual([undefined, { a: [1] }, null])
})

test('P61 strings count in UTF-16 units, half a surrogate pair included', () => {
  const doc = new Y.Doc()
  doc.clientID = 1
  doc.getText('t').insert(0, 'a\u{1f9f6}é\ud83e')
  expect(scanned(Y.encodeStateAsUpdate(doc)).structs).toEqual([[1, 0, 5]])
})

test('P61 a gap is left out of the ranges', () => {
  const doc = new Y.Doc()
  doc.clientID = 1
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (const text of ['ab', 'cde', 'f']) doc.getText('t').insert(doc.getText('t').length, text)
  const gapped = Y.mergeUpdates([updates[0]!, updates[2]!])
  expect(Y.decodeUpdate(gapped).structs.some((struct) => struct instanceof Y.Skip)).toBe(true)
  expect(scanned(gapped).structs).toEqual([
    [1, 0, 2],
    [1, 5, 1],
  ])
})

test('P60 the empty update passes', () => {
  expect(scanned(Uint8Array.of(0, 0))).toEqual({ structs: [], deletions: [] })
})

test('P16 P62 values may be nested up to the limit', () => {
  const nested = (depth: number) => {
    let value: encoding.AnyEncodable = 0
    for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value }
    const doc = new Y.Doc()
    doc.getMap('m').set('k', value)
    return Y.encodeStateAsUpdate(doc)
  }
  expect(errorCodeOf(() => scanUpdate(nested(LIMITS.valueDepthMax)))).toBeUndefined()
  expect(errorCodeOf(() => scanUpdate(nested(LIMITS.valueDepthMax + 1)))).toBe('too-large')
})

test('P62 an update over the limit is refused unread', () => {
  expect(errorCodeOf(() => scanUpdate(new Uint8Array(LIMITS.updateBytesMax + 1)))).toBe('too-large')
})

test('P60 the first entry of a key in a root map is told, and no later one', () => {
  const doc = new Y.Doc()
  const seen = (update: Uint8Array) => {
    const entries: string[] = []
    scanUpdate(update, {
      structs() {},
      deletion() {},
      rootEntry: (root, key) => entries.push(`${root}: ${key}`),
    })
    return entries
  }
  const edit = (change: () => void) => {
    const before = Y.encodeStateVector(doc)
    doc.transact(change)
    return Y.encodeStateAsUpdate(doc, before)
  }
  const state = doc.getMap('state')
  expect(seen(edit(() => state.set('a', 1)))).toEqual(['state: a'])
  expect(seen(edit(() => state.set('a', 2)))).toEqual([])
  expect(seen(edit(() => state.delete('a')))).toEqual([])
  expect(seen(edit(() => state.set('a', new Y.Map([['b', 1]]))))).toEqual([])
  expect(seen(edit(() => doc.getMap('other').set('ü', new Y.Map([['b', 1]]))))).toEqual(['other: ü'])
  expect(seen(edit(() => doc.getText('state 2').insert(0, 'text')))).toEqual([])
  expect(seen(Y.encodeStateAsUpdate(doc)).sort()).toEqual(['other: ü', 'state: a'])
})
