import * as encoding from 'lib0/encoding'
import type { Random } from './random.js'
import { randomAny, randomString } from './random-doc.js'

/**
 * An update that obeys the structure (P60 to P62) and no more: neighbours, parents and deletions are
 * drawn at random, so that they contradict each other in ways no replica would write.
 */
export function randomUpdate(random: Random): Uint8Array {
  const encoder = encoding.createEncoder()
  const clients = [9, 5, 2].filter(() => random.oneIn(2))
  encoding.writeVarUint(encoder, clients.length)
  for (const client of clients) writeClient(random, encoder, client)
  writeDeletions(random, encoder)
  return encoding.toUint8Array(encoder)
}

function writeClient(random: Random, encoder: encoding.Encoder, client: number): void {
  const structs = random.int(0, 8)
  let clock = random.oneIn(4) ? random.int(0, 6) : 0
  encoding.writeVarUint(encoder, structs)
  encoding.writeVarUint(encoder, client)
  encoding.writeVarUint(encoder, clock)
  for (let i = 0; i < structs; i++) clock += writeStruct(random, encoder, client, clock)
}

const GC = 0
const SKIP = 10

/** Writes one struct and returns its length in clock units. */
function writeStruct(random: Random, encoder: encoding.Encoder, client: number, clock: number): number {
  if (random.oneIn(12)) {
    const length = random.int(1, 4)
    encoding.writeUint8(encoder, random.pick([GC, SKIP]))
    encoding.writeVarUint(encoder, length)
    return length
  }
  const content = random.int(1, 9)
  const origin = random.oneIn(2) ? randomId(random, client, clock) : undefined
  const rightOrigin = random.oneIn(3) ? randomId(random, client, clock) : undefined
  const keyed = random.oneIn(3)
  encoding.writeUint8(encoder, content | (origin ? 0x80 : 0) | (rightOrigin ? 0x40 : 0) | (keyed ? 0x20 : 0))
  if (origin) writeId(encoder, origin)
  if (rightOrigin) writeId(encoder, rightOrigin)
  if (!origin && !rightOrigin) {
    const parent = random.oneIn(2) ? randomId(random, client, clock) : undefined
    encoding.writeVarUint(encoder, parent ? 0 : 1)
    if (parent) writeId(encoder, parent)
    else encoding.writeVarString(encoder, random.pick(['', 'root', '__proto__']))
    if (keyed) encoding.writeVarString(encoder, random.pick(['', 'k', 'toString']))
  }
  return writeContent(random, encoder, content)
}

type Id = readonly [client: number, clock: number]

function randomId(random: Random, client: number, clock: number): Id | undefined {
  const other = random.pick([9, 5, 2])
  if (other !== client) return [other, random.int(0, 10)]
  return clock > 0 ? [client, random.int(0, clock - 1)] : undefined
}

function writeId(encoder: encoding.Encoder, [client, clock]: Id): void {
  encoding.writeVarUint(encoder, client)
  encoding.writeVarUint(encoder, clock)
}

/** Writes content by its number in yjs and returns its length in clock units. */
function writeContent(random: Random, encoder: encoding.Encoder, content: number): number {
  const json = () =>
    JSON.stringify(random.pick([null, true, 1.5, 'x', { a: [1] }, { toJSON: 1, __proto__: 2 }]))
  switch (content) {
    case 1: {
      const length = random.int(1, 4)
      encoding.writeVarUint(encoder, length)
      return length
    }
    case 2: {
      const length = random.int(1, 3)
      encoding.writeVarUint(encoder, length)
      for (let i = 0; i < length; i++)
        encoding.writeVarString(encoder, random.oneIn(4) ? 'undefined' : json())
      return length
    }
    case 3:
      encoding.writeVarUint8Array(encoder, random.bytes(random.int(0, 3)))
      return 1
    case 4: {
      const text = `${randomString(random)}z`
      encoding.writeVarString(encoder, text)
      return text.length
    }
    case 5:
      encoding.writeVarString(encoder, json())
      return 1
    case 6:
      encoding.writeVarString(encoder, random.pick(['bold', '__proto__', '']))
      encoding.writeVarString(encoder, json())
      return 1
    case 7: {
      const type = random.int(0, 6)
      encoding.writeVarUint(encoder, type)
      if (type === 3 || type === 5) encoding.writeVarString(encoder, 'p')
      return 1
    }
    case 8: {
      const length = random.int(1, 3)
      encoding.writeVarUint(encoder, length)
      for (let i = 0; i < length; i++)
        encoding.writeAny(encoder, randomAny(random, 2) as encoding.AnyEncodable)
      return length
    }
    default:
      encoding.writeVarString(encoder, 'guid')
      encoding.writeAny(encoder, {
        [random.pick([
          'gc',
          'meta',
          'guid',
          'autoLoad',
          'shouldLoad',
          '__proto__',
          'collectionid',
          'gcFilter',
        ])]: randomAny(random, 3) as encoding.AnyEncodable,
      })
      return 1
  }
}

function writeDeletions(random: Random, encoder: encoding.Encoder): void {
  const clients = [5, 9, 2].filter(() => random.oneIn(2))
  encoding.writeVarUint(encoder, clients.length)
  for (const client of clients) {
    const ranges = random.int(0, 3)
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, ranges)
    let clock = 0
    for (let i = 0; i < ranges; i++) {
      const length = random.int(1, 3)
      clock += random.int(0, 3)
      encoding.writeVarUint(encoder, clock)
      encoding.writeVarUint(encoder, length)
      clock += length
    }
  }
}
