import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { ProtocolError, scanUpdate } from '../src/index.js'
import { hex } from './support/bytes.js'
import { mutate } from './support/mutate.js'
import type { Random } from './support/random.js'
import { randomHistory, updatesOf } from './support/random-doc.js'
import { randomUpdate } from './support/random-update.js'
import { type Range, scanned } from './support/scanned.js'
import { eachSeed } from './support/seed.js'

// Yjs reports some oddities on the console (a second use of its client id, a subdocument it knows).
beforeAll(() => {
  for (const method of ['log', 'error', 'warn'] as const)
    vi.spyOn(console, method).mockImplementation(() => {})
})
afterAll(() => {
  vi.restoreAllMocks()
})

test('P60 mutated updates are refused by a ProtocolError or can be used in yjs', () => {
  let passed = 0
  eachSeed('P60', 30, (random) => {
    const updates = updatesOf(random, randomHistory(random, 12))
    for (let i = 0; i < 100; i++) {
      if (survives(random, mutate(random, random.pick(updates), random.pick(updates)), random.pick(updates)))
        passed++
    }
  })
  expect(passed).toBeGreaterThan(150)
})

test('P60 updates that contradict themselves are refused by a ProtocolError or can be used in yjs', () => {
  let passed = 0
  eachSeed('P60', 1_000, (random) => {
    const update = randomUpdate(random)
    const other = randomUpdate(random)
    if (survives(random, update, other)) passed++
    survives(random, mutate(random, update, other), other)
  })
  expect(passed).toBeGreaterThan(300)
})

test('P60 random bytes are refused by a ProtocolError', () => {
  eachSeed('P60', 200, (random) => {
    for (let i = 0; i < 50; i++) survives(random, random.bytes(random.int(0, 40)), Uint8Array.of(0, 0))
  })
})

/** Whether the update passes the scan; if so, everything that yjs can do with it must succeed. */
function survives(random: Random, update: Uint8Array, other: Uint8Array): boolean {
  if (!passes(update) || !passes(other)) return false
  try {
    const doc = new Y.Doc({ gc: random.oneIn(2) })
    Y.applyUpdate(doc, update)
    scanUpdate(Y.encodeStateAsUpdate(doc))
    Y.applyUpdate(doc, update)
    scanUpdate(Y.mergeUpdates([update, other]))
    scanUpdate(Y.mergeUpdates([other, update]))
    scanUpdate(Y.diffUpdate(update, Uint8Array.of(0)))
    scanUpdate(Y.diffUpdate(update, Y.encodeStateVectorFromUpdate(other)))
    Y.encodeStateVectorFromUpdate(update)
  } catch (cause) {
    if (isBeyondOneUpdate(cause)) return false
    throw new Error(`update ${hex(update)} with ${hex(other)}`, { cause })
  }
  return true
}

/** The fault of yjs that `scanUpdate` cannot foresee (P63: a map entry of several clocks). About one in 60000. */
function isBeyondOneUpdate(error: unknown): boolean {
  return error instanceof Error && error.message === 'Unexpected case' && /\bgc \(/.test(error.stack ?? '')
}

function passes(update: Uint8Array): boolean {
  try {
    scanUpdate(update)
    return true
  } catch (error) {
    if (error instanceof ProtocolError) return false
    throw error
  }
}

test('P60 merging updates that pass loses nothing and adds nothing', () => {
  eachSeed('P60', 500, (random) => {
    const history = random.oneIn(10) ? updatesOf(random, randomHistory(random, 8)) : []
    const any = () => (history.length > 0 ? random.pick(history) : randomUpdate(random))
    const updates = [any(), any(), any()].filter(passes)
    if (updates.length < 2) return
    const parts = updates.map(scanned)
    const merged = scanned(Y.mergeUpdates(updates))
    expect(union(merged.structs)).toEqual(union(parts.flatMap((part) => part.structs)))
    expect(union(merged.deletions)).toEqual(union(parts.flatMap((part) => part.deletions)))
  })
})

/** The same ids in as few ranges as possible, in order. */
function union(ranges: readonly Range[]): Range[] {
  const out: Range[] = []
  for (const [client, clock, length] of [...ranges].sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = out.at(-1)
    if (last !== undefined && last[0] === client && clock <= last[1] + last[2]) {
      out[out.length - 1] = [client, last[1], Math.max(last[2], clock + length - last[1])]
    } else {
      out.push([client, clock, length])
    }
  }
  return out
}
