import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { checkEntry, checkQueued, mergeEntries } from '../../src/store/entries.js'
import { contentOf, edits } from './edits.js'

test('an entry that is no update is corrupt, and the message names the place', () => {
  for (const entry of ['text', 5, undefined, Uint8Array.of(1, 2, 3), new Uint8Array(0)]) {
    expect(() => checkEntry(entry, 'here')).toThrow(
      expect.objectContaining({ code: 'store-corrupt', message: expect.stringContaining('here') }),
    )
  }
})

test('an update over the limits of the wire is sound', () => {
  let nested: unknown = 'deep'
  for (let depth = 0; depth < 200; depth++) nested = [nested]
  const doc = new Y.Doc()
  doc.getMap('state').set('key', nested)
  const update = Y.encodeStateAsUpdate(doc)
  expect(checkEntry(update, 'here')).toBe(update)
})

test('the number of waiting edits is a count, or absent', () => {
  expect(checkQueued(undefined, 'here')).toBe(0)
  expect(checkQueued(12, 'here')).toBe(12)
  for (const value of [-1, 0.5, Number.NaN, '3', null]) {
    expect(() => checkQueued(value, 'here')).toThrow(expect.objectContaining({ code: 'store-corrupt' }))
  }
})

test('merging in groups keeps the content, for any number of entries', () => {
  for (const count of [1, 2, 99, 100, 101, 10_001]) {
    const updates = edits(count)
    const merged = mergeEntries(updates)!
    expect(merged.length, `${count} entries`).toBeLessThanOrEqual(
      updates.reduce((sum, u) => sum + u.length, 0),
    )
    expect(contentOf([merged]), `${count} entries`).toBe(contentOf(updates))
  }
})

test('entries that would be over the limit in one piece stay apart', () => {
  const half = new Uint8Array(33 * 1024 * 1024)
  expect(mergeEntries([half, half])).toBeUndefined()
})
