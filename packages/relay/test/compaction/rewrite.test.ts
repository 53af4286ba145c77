import { Coverage } from '@skein/sync'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { merge, rewrite } from '../../src/compaction/rewrite.js'
import { fingerprint, randomFrom, runSeed } from '../helpers.js'

function history(random: () => number, edits: number): { updates: Uint8Array[]; doc: Y.Doc } {
  const docs = [new Y.Doc(), new Y.Doc()]
  const updates: Uint8Array[] = []
  for (const doc of docs) doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let i = 0; i < edits; i++) {
    const doc = docs[Math.floor(random() * 2)]!
    const text = doc.getText('text')
    const at = Math.floor(random() * (text.length + 1))
    if (random() < 0.4 && text.length > at) text.delete(at, 1)
    else text.insert(at, 'some text')
    doc.getMap('state').set(`k${Math.floor(random() * 3)}`, i)
    if (random() < 0.1) Y.applyUpdate(docs[0]!, Y.encodeStateAsUpdate(docs[1]!))
  }
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return { updates, doc }
}

function applied(...updates: Uint8Array[]): Y.Doc {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

describe('L21 rewriting a log', () => {
  test('keeps what any replica would', () => {
    const random = randomFrom(runSeed('packages/relay/test/compaction/rewrite.test.ts'))
    for (let i = 0; i < 20; i++) {
      const { updates, doc } = history(random, 100)
      const rewritten = rewrite(updates)
      expect(fingerprint(applied(rewritten))).toEqual(fingerprint(doc))
      expect(fingerprint(applied(merge(updates)))).toEqual(fingerprint(doc))
    }
  })

  test('leaves out the content of what was deleted', () => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (let i = 0; i < 100; i++) doc.getMap('state').set('k', 'x'.repeat(1_000))
    expect(merge(updates).length).toBeGreaterThan(100_000)
    expect(rewrite(updates).length).toBeLessThan(2_000)
  })

  test('keeps what waits for something missing, so that it is there when that comes', () => {
    const { updates, doc } = history(randomFrom(7), 60)
    for (const missing of [0, 5, 30]) {
      const rest = updates.filter((_, i) => i !== missing)
      expect(fingerprint(applied(rewrite(rest), updates[missing]!))).toEqual(fingerprint(doc))
    }
  })

  test('a log that Yjs cannot integrate is not rewritten', () => {
    const [a, b] = [new Y.Doc(), new Y.Doc()]
    a.clientID = 1
    b.clientID = 1
    a.getArray('list').insert(0, [1, 2, 3])
    b.getText('text').insert(0, 'x')
    const more = new Y.Doc()
    more.clientID = 2
    Y.applyUpdate(more, Y.encodeStateAsUpdate(a))
    more.getArray('list').insert(2, [9])
    const updates = [Y.encodeStateAsUpdate(b), Y.encodeStateAsUpdate(more)]
    let rewritten: Uint8Array | undefined
    try {
      rewritten = rewrite(updates)
    } catch {
      return
    }
    const coverage = new Coverage()
    coverage.add(rewritten)
    expect(updates.some((update) => coverage.add(update))).toBe(false)
  })
})
