import { readFileSync } from 'node:fs'
import path from 'node:path'
import { decodeFrame, encodeFrame, scanUpdate } from '@skein/protocol'
import type { Random } from './seed.js'

const GOLDEN = path.resolve(import.meta.dirname, '../../../packages/protocol/testdata/golden-frames.json')

/** A frame and what the protocol makes of it. */
export interface HostileFrame {
  readonly bytes: Uint8Array | string
  /** Whether it does not decode, so that its sender must be closed with 4400. */
  readonly undecodable: boolean
  /** Whether it may bring an update into a space: then it must not go where honest agents are. */
  readonly writes: boolean
}

/** Sound frames of each kind of message, as a start for mutations. */
const SOUND = (JSON.parse(readFileSync(GOLDEN, 'utf8')) as { frame: string }[]).map(
  ({ frame }) => new Uint8Array(Buffer.from(frame, 'hex')),
)
/** 2^53 - 1, the largest number that the protocol knows. */
const HUGE = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]
/** A length of 2^32 - 1. */
const LARGE = [0xff, 0xff, 0xff, 0xff, 0x0f]

const MUTATIONS: readonly ((frame: Uint8Array, random: Random) => Uint8Array)[] = [
  (frame, random) => frame.slice(0, random.below(frame.length + 1)),
  (frame, random) => replaced(frame, random.below(frame.length), 1, [random.below(256)]),
  (frame, random) => {
    const at = random.below(frame.length)
    return replaced(frame, at, 1, [frame[at]! ^ (1 << random.below(8))])
  },
  // A length, count or clock that is too large for anything.
  (frame, random) => replaced(frame, random.below(frame.length), 1, random.pick([HUGE, LARGE])),
  (frame, random) => replaced(frame, random.below(frame.length), 0, random.bytes(1 + random.below(20))),
  (frame, random) => replaced(frame, random.below(frame.length), 1 + random.below(8), []),
  (frame, random) => replaced(frame, frame.length, 0, random.pick(SOUND)),
  (_, random) => random.bytes(1 + random.below(300)),
  // The number of a message, with a body of noise.
  (_, random) => Uint8Array.of(random.pick([0, 1, 2, 3, 64, 65, 66, 67, 68, 69, 74]), ...random.bytes(40)),
  (_, random) => Uint8Array.of(0, random.pick([0, 1, 2]), ...random.pick([HUGE, LARGE])),
  (_, random) => deepAny(random.pick([100, 129, 5_000, 100_000])),
  (_, random) => deepJson(random.pick([100, 129, 5_000, 30_000])),
  (_, random) => hugeCounts(random),
  (_, random) => bogusClocks(random),
  (_, random) => encodeFrame({ type: 'ack', from: 1, to: 1 + random.below(2 ** 31), tier: 'relay' }),
]

/** A frame that is wrong, or at least strange, in a way that the seed chooses. */
export function hostileFrame(random: Random): HostileFrame {
  if (random.chance(0.05)) return { bytes: random.text(random.below(50)), undecodable: true, writes: false }
  let bytes: Uint8Array = random.pick(SOUND)
  // Now and then twice: one mistake may hide another.
  do bytes = random.pick(MUTATIONS)(bytes.length === 0 ? Uint8Array.of(0) : bytes, random)
  while (random.chance(0.2))
  return judged(bytes)
}

function judged(bytes: Uint8Array): HostileFrame {
  try {
    const message = decodeFrame(bytes)
    const writes = 'update' in message && message.type !== 'awareness' && isUpdate(message.update)
    return { bytes, undecodable: false, writes }
  } catch {
    return { bytes, undecodable: true, writes: false }
  }
}

function isUpdate(update: Uint8Array): boolean {
  try {
    scanUpdate(update)
    return true
  } catch {
    return false
  }
}

function replaced(frame: Uint8Array, at: number, count: number, by: Iterable<number>): Uint8Array {
  return Uint8Array.from([...frame.subarray(0, at), ...by, ...frame.subarray(at + count)])
}

/** An update with one struct of client 7: `content` is what follows its info byte and parent. */
function updateFrame(kind: number, content: readonly number[] | Uint8Array, clock: readonly number[] = [0]) {
  const head = [1, 1, 7, ...clock, kind, 1, 1, 0x74]
  const update = Uint8Array.from([...head, ...content, 0])
  return encodeFrame({ type: 'numbered-update', seq: 1, answersStep1: false, update })
}

/** Arrays in arrays, as one `any`. */
function deepAny(depth: number): Uint8Array {
  const content = [1]
  for (let i = 0; i < depth; i++) content.push(117, 1)
  return updateFrame(8, Uint8Array.from([...content, 126]))
}

/** Arrays in arrays, as the presence of one client. */
function deepJson(depth: number): Uint8Array {
  const state = new TextEncoder().encode('['.repeat(depth) + ']'.repeat(depth))
  const length = varUint(state.length)
  const update = Uint8Array.from([1, 9, 1, ...length, ...state])
  return encodeFrame({ type: 'awareness', update })
}

function hugeCounts(random: Random): Uint8Array {
  const count = random.pick([HUGE, LARGE, varUint(1_000_001), varUint(1_000_000)])
  if (random.chance(0.3)) return encodeFrame({ type: 'awareness', update: Uint8Array.from(count) })
  if (random.chance(0.3)) return encodeFrame({ type: 'sync-step-1', stateVector: Uint8Array.from(count) })
  return updateFrame(random.pick([1, 2, 8]), count)
}

/** Structs at the end of what a clock can be, and beyond. */
function bogusClocks(random: Random): Uint8Array {
  return updateFrame(1, random.pick([HUGE, LARGE, [1], [0]]), random.pick([HUGE, LARGE, [5]]))
}

function varUint(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) | 0x80)
  }
}
