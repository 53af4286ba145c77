import fc from 'fast-check'
import * as encoding from 'lib0/encoding'
import { expect, test } from 'vitest'
import {
  decodeFrame,
  decodeStateVector,
  encodeFrame,
  ProtocolError,
  readAwarenessEntries,
  scanUpdate,
} from '../src/index.js'
import { encoded } from './support/bytes.js'
import { errorCodeOf } from './support/error-code.js'
import { GOLDEN } from './support/golden.js'
import { mutate } from './support/mutate.js'
import type { Random } from './support/random.js'
import { randomHistory, updatesOf } from './support/random-doc.js'
import { check, eachSeed } from './support/seed.js'

/** Reads a frame and all that is in it, as a receiver would. */
function readAll(frame: Uint8Array): void {
  const message = decodeFrame(frame)
  switch (message.type) {
    case 'sync-step-1':
      decodeStateVector(message.stateVector)
      return
    case 'sync-step-2':
    case 'update':
    case 'numbered-update':
      scanUpdate(message.update)
      return
    case 'awareness':
      readAwarenessEntries(message.update)
  }
}

const ROUNDS = 400
const INPUTS_A_ROUND = 500

test('P5 of 200000 mutated frames none makes anything but a ProtocolError', () => {
  const golden = GOLDEN.map(({ frame }) => frame).filter((frame) => frame.length < 500)
  let read = 0
  eachSeed('P5', ROUNDS, (random) => {
    const frames = random.oneIn(20) ? [...golden, ...framesOf(random)] : golden
    for (let i = 0; i < INPUTS_A_ROUND; i++) {
      try {
        readAll(mutate(random, random.pick(frames), random.pick(frames)))
        read++
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
      }
    }
  })
  // Neither everything nor nothing may pass, or the mutations are not worth their name.
  expect(read).toBeGreaterThan(0.05 * ROUNDS * INPUTS_A_ROUND)
  expect(read).toBeLessThan(0.95 * ROUNDS * INPUTS_A_ROUND)
})

function framesOf(random: Random): Uint8Array[] {
  return updatesOf(random, randomHistory(random, 5)).map((update) => encodeFrame({ type: 'update', update }))
}

test('P5 random frames make nothing but a ProtocolError', () => {
  const id = fc.constantFrom(0, 1, 2, 3, 64, 65, 66, 67, 68, 69, 74, 75, 76, 77, 81)
  check(
    'P5',
    5_000,
    fc.property(id, fc.uint8Array({ maxLength: 60 }), (first, rest) => {
      errorCodeOf(() => readAll(Uint8Array.of(first, ...rest)))
    }),
  )
})

const HUGE = Number.MAX_SAFE_INTEGER

/** Frames of a few bytes that announce a lot. */
const BOASTS: [string, Uint8Array][] = [
  ['a state vector of 2^53 bytes', uints(0, 0, HUGE)],
  ['a state vector of as many clients as may be', inner(0, uints(1_000_000), 0)],
  ['an update of 60 MB', uints(0, 2, 60_000_000)],
  ['a message of 2^53 bytes in chunks', uints(74, HUGE, 0, 1)],
  ['a chunk of 256 KiB', uints(74, 500_000_000, 0, 262_144)],
  ['an awareness update of 2^53 bytes', uints(1, HUGE)],
  ['awareness of as many entries as may be', inner(1, uints(10_000))],
  ['an awareness state of 64 KiB', inner(1, uints(1, 1, 1, 65_536))],
  ['a reason of 1 KiB', uints(2, 0, 1024)],
  ['a strong value of 64 KiB', uints(77, 1, 120, 1, 1, 1, 65_536)],
  ['a strong key of 512 bytes', uints(75, 1, 0, 512)],
  ['32 strong prefixes', uints(76, 1, 7, 32)],
  ['a hello with 64 features', uints(64, 1, 1, 0, 0, 0, 64)],
  ['an update of a million clients', inner(0, uints(1_000_000), 2)],
  ['2^53 structs', inner(0, uints(1, HUGE, 1, 0), 2)],
  ['a string of 60 MB', inner(0, uints(1, 1, 1, 0, 4, 1, 1, 116, 60_000_000), 2)],
  ['2^53 JSON values', inner(0, uints(1, 1, 1, 0, 2, 1, 1, 116, HUGE), 2)],
  ['2^53 values', inner(0, uints(1, 1, 1, 0, 8, 1, 1, 116, HUGE), 2)],
  ['an array of 2^53', inner(0, uints(1, 1, 1, 0, 8, 1, 1, 116, 1, 117, HUGE), 2)],
  ['an object of 2^53', inner(0, uints(1, 1, 1, 0, 8, 1, 1, 116, 1, 118, HUGE), 2)],
  ['subdocument options of 2^53', inner(0, uints(1, 1, 1, 0, 9, 1, 1, 116, 1, 103, 118, HUGE), 2)],
  ['a delete set of a million clients', inner(0, uints(0, 1_000_000), 2)],
  ['2^53 deleted ranges', inner(0, uints(0, 1, 7, HUGE), 2)],
]

function uints(...values: number[]): Uint8Array {
  return encoded((encoder) => {
    for (const value of values) encoding.writeVarUint(encoder, value)
  })
}

/** A frame whose length-prefixed body ends where `body` does. */
function inner(id: number, body: Uint8Array, kind?: number): Uint8Array {
  return encoded((encoder) => {
    encoding.writeVarUint(encoder, id)
    if (kind !== undefined) encoding.writeVarUint(encoder, kind)
    encoding.writeVarUint8Array(encoder, body)
  })
}

test.each(BOASTS)('P17 %s is refused', (_, frame) => {
  expect(frame.length).toBeLessThan(30)
  expect(['truncated', 'too-large']).toContain(errorCodeOf(() => readAll(frame)))
})

test.each(BOASTS)('P17 %s is not allocated', (_, frame) => {
  errorCodeOf(() => readAll(frame)) // so that what is compiled and cached on first use does not count
  const heap: number[] = []
  for (let round = 0; round < 20; round++) {
    const before = process.memoryUsage()
    errorCodeOf(() => readAll(frame))
    const after = process.memoryUsage()
    heap.push(after.heapUsed - before.heapUsed)
    // A buffer for 60 MB would show, at least where no garbage collection comes in between.
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2 ** 20)
  }
  // So would an array for a million entries. The median, because others allocate and collect here, too.
  expect(heap.sort((a, b) => a - b)[10]).toBeLessThan(2 ** 20)
})

const DEPTH = 1_000_000
const repeated = (depth: number, ...bytes: number[]) =>
  Uint8Array.from({ length: depth * bytes.length }, (_, i) => bytes[i % bytes.length]!)

test.each<[string, Uint8Array]>([
  ['arrays', repeated(DEPTH, 117, 1)],
  ['objects', repeated(DEPTH, 118, 1, 0)],
])('P17 a million nested %s in an update are too deep, and no stack overflows', (_, values) => {
  const head = uints(1, 1, 1, 0, 8, 1, 1, 116, 1)
  const update = new Uint8Array(head.length + values.length)
  update.set(head)
  update.set(values, head.length)
  expect(errorCodeOf(() => readAll(encodeFrame({ type: 'update', update })))).toBe('too-large')
})

test('P17 deep JSON in an awareness state is too deep, and no stack overflows', () => {
  const state = repeated(60_000, 0x5b)
  const update = encoded((encoder) => {
    for (const value of [1, 1, 1]) encoding.writeVarUint(encoder, value)
    encoding.writeVarUint8Array(encoder, state)
  })
  expect(errorCodeOf(() => readAll(encodeFrame({ type: 'awareness', update })))).toBe('too-large')
})
