import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { type DeleteSet, digestOf } from '../src/index.js'
import { converge, randomHistory, shuffled } from './support/random-doc.js'
import { eachSeed } from './support/seed.js'

function contentOf(doc: Y.Doc): { vector: Map<number, number>; deletions: DeleteSet } {
  const { clients } = Y.createDeleteSetFromStructStore(doc.store)
  const deletions = [...clients].map(
    ([client, ranges]) => [client, ranges.map(({ clock, len }) => [clock, len] as const)] as const,
  )
  return { vector: Y.decodeStateVector(Y.encodeStateVector(doc)), deletions: new Map(deletions) }
}

function digest(doc: Y.Doc): string {
  const { vector, deletions } = contentOf(doc)
  return digestOf(vector, deletions)
}

function docFrom(updates: readonly Uint8Array[], gc: boolean): Y.Doc {
  const doc = new Y.Doc({ gc })
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

const NOTHING: DeleteSet = new Map()

// Worked out from P65 with a separate program, so that another implementation can check itself.
test.each<[Map<number, number>, DeleteSet, string]>([
  [new Map(), NOTHING, '117697cd00000000'],
  [new Map([[1, 1]]), NOTHING, '3a50694f18f66196'],
  [
    new Map([
      [1, 5],
      [300, 2 ** 40],
    ]),
    new Map([
      [
        1,
        [
          [0, 1],
          [3, 2],
        ],
      ],
    ]),
    '2ffaf078910ea161',
  ],
])('P65 the digest of %o and %o is %s', (vector, deletions, expected) => {
  expect(digestOf(vector, deletions)).toBe(expected)
})

test('P65 the order of entries, clients with clock 0 and clients without ranges make no difference', () => {
  const expected = digestOf(
    new Map([
      [1, 5],
      [2, 7],
    ]),
    new Map([
      [1, [[0, 1]]],
      [2, [[3, 4]]],
    ]),
  )
  const vector = new Map([
    [2, 7],
    [9, 0],
    [1, 5],
  ])
  expect(
    digestOf(
      vector,
      new Map([
        [2, [[3, 4]]],
        [9, []],
        [1, [[0, 1]]],
      ]),
    ),
  ).toBe(expected)
})

test('P65 replicas with the same content have the same digest, in whatever order it came, gc on or off', () => {
  eachSeed('P65', 60, (random) => {
    const { docs } = randomHistory(random, 15)
    converge(docs)
    const expected = digest(docs[0]!)
    for (const doc of docs) expect(digest(doc)).toBe(expected)
    const updates = docs.map((doc) => Y.encodeStateAsUpdate(doc))
    for (const gc of [true, false]) {
      expect(digest(docFrom(shuffled(random, [...updates, ...updates]), gc))).toBe(expected)
    }
  })
})

test('P65 digests are equal if and only if state vector and delete set are', () => {
  eachSeed('P65', 20, (random) => {
    const { docs, updates } = randomHistory(random, 15)
    const replicas = [...docs]
    for (let i = 0; i < 20; i++) {
      const some = updates.filter(() => !random.oneIn(3))
      replicas.push(docFrom(shuffled(random, some), random.oneIn(2)))
    }
    const byContent = new Map<string, string>()
    const byDigest = new Map<string, string>()
    for (const doc of replicas) {
      const { vector, deletions } = contentOf(doc)
      const content = JSON.stringify([[...vector].sort(), [...deletions].sort()])
      const name = digestOf(vector, deletions)
      expect(byContent.get(content) ?? name).toBe(name)
      expect(byDigest.get(name) ?? content).toBe(content)
      byContent.set(content, name)
      byDigest.set(name, content)
    }
  })
})

test('P65 replicas that differ in one deletion alone differ in their digest', () => {
  eachSeed('P65', 30, (random) => {
    const [doc] = randomHistory(random, 10).docs
    doc!.getArray('array').insert(0, ['one', 'two', 'three'])
    const other = docFrom([Y.encodeStateAsUpdate(doc!)], doc!.gc)
    expect(digest(other)).toBe(digest(doc!))
    other.getArray('array').delete(1, 1)
    expect(Y.encodeStateVector(other)).toEqual(Y.encodeStateVector(doc!))
    expect(digest(other)).not.toBe(digest(doc!))
  })
})
