import { ProtocolError } from '../error.js'
import { checkJson } from '../json.js'
import { LIMITS } from '../limits.js'
import { Reader } from '../reader.js'
import { utf16Length } from '../utf8.js'

/**
 * What a scanned update contains. Ranges are `[clock, clock + length)` of a client, in Yjs clock units. It
 * is told as the scan goes on, so what it heard before a ProtocolError does not count.
 */
export interface UpdateSink {
  /** A run of structs that the update carries. Adjacent structs of a client arrive as one run. */
  structs(client: number, clock: number, length: number): void
  /** A range that the update's delete set marks as deleted. */
  deletion(client: number, clock: number, length: number): void
  /**
   * An entry that the update begins in a map at the root of the document. Only the first entry ever of a key
   * names its map and key; a later one names the entry that it comes behind.
   */
  rootEntry?(root: string, key: string): void
}

const NO_SINK: UpdateSink = { structs() {}, deletion() {} }

/**
 * Walks a Yjs update (encoding v1) without a Y.Doc and without building its structs, and checks every
 * byte of it. What passes here, `Y.applyUpdate` and `Y.mergeUpdates` can decode, and merging it loses
 * nothing. What cannot be known from one update alone, SPEC.md says (P63).
 *
 * The format is that of yjs 13.6 (`UpdateDecoderV1`, `Item.write`, `readItemContent`, `readDeleteSet`).
 * @throws ProtocolError
 */
export function scanUpdate(
  update: Uint8Array,
  sink: UpdateSink = NO_SINK,
  bytesMax: number = LIMITS.updateBytesMax,
): void {
  if (update.length > bytesMax) {
    throw new ProtocolError('too-large', `update of ${update.length} bytes, at most ${bytesMax}`)
  }
  const reader = new Reader(update)
  scanStructs(reader, sink)
  scanDeleteSet(reader, sink)
  if (reader.remaining > 0) throw new ProtocolError('malformed', `${reader.remaining} bytes after the update`)
}

function scanStructs(reader: Reader, sink: UpdateSink): void {
  const clients = reader.varUintMax(LIMITS.clientsMax, 'clients in an update')
  let previous = Number.POSITIVE_INFINITY
  for (let i = 0; i < clients; i++) {
    const structs = reader.varUint()
    const client = reader.varUint()
    // Every writer sorts. `Y.mergeUpdates` relies on it: from other orders it makes an update that names
    // a client twice, of which `Y.applyUpdate` silently drops the first part.
    if (client >= previous) throw new ProtocolError('malformed', `client ${client} is out of order`)
    previous = client
    scanClient(reader, sink, client, structs)
  }
}

function scanClient(reader: Reader, sink: UpdateSink, client: number, structs: number): void {
  let clock = reader.varUint()
  let runStart = clock
  for (let i = 0; i < structs; i++) {
    const info = reader.byte()
    if (info === SKIP) {
      if (clock > runStart) sink.structs(client, runStart, clock - runStart)
      clock = advance(clock, reader.varUint())
      runStart = clock
    } else {
      clock = advance(clock, info === GC ? reader.varUint() : scanItem(reader, sink, info, client, clock))
    }
  }
  if (clock > runStart) sink.structs(client, runStart, clock - runStart)
}

const GC = 0
const SKIP = 10
const HAS_ORIGIN = 0x80
const HAS_RIGHT_ORIGIN = 0x40
const HAS_PARENT_SUB = 0x20

/** The clock behind a struct or deleted range. Yjs fails on empty ones wherever it looks one up by clock. */
function advance(clock: number, length: number): number {
  if (length === 0) throw new ProtocolError('malformed', 'struct or deleted range of length 0')
  const next = clock + length
  if (next > Number.MAX_SAFE_INTEGER) throw new ProtocolError('malformed', 'clock over 2^53 - 1')
  return next
}

/** Reads an item behind its info byte and returns its length in clock units. */
function scanItem(reader: Reader, sink: UpdateSink, info: number, client: number, clock: number): number {
  if (info & HAS_ORIGIN) scanId(reader, client, clock)
  if (info & HAS_RIGHT_ORIGIN) scanId(reader, client, clock)
  if ((info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN)) === 0) {
    const isRoot = reader.varUint() === 1
    if (isRoot && info & HAS_PARENT_SUB && sink.rootEntry !== undefined) {
      const root = reader.varString(LIMITS.updateBytesMax, 'string')
      sink.rootEntry(root, reader.varString(LIMITS.updateBytesMax, 'string'))
    } else {
      if (isRoot) scanString(reader)
      else scanId(reader, client, clock)
      if (info & HAS_PARENT_SUB) scanString(reader)
    }
  }
  const read = CONTENT[info & 0x1f]
  if (read === undefined) throw new ProtocolError('malformed', `unknown content ${info & 0x1f}`)
  return read(reader)
}

/** Reads what an item at `clock` of `client` refers to: a neighbour or its parent. */
function scanId(reader: Reader, client: number, clock: number): void {
  const refClient = reader.varUint()
  const refClock = reader.varUint()
  // Yjs looks a struct of the same client up at once, certain that it came before.
  if (refClient === client && refClock >= clock) {
    throw new ProtocolError('malformed', `struct ${clock} of client ${client} refers to its own future`)
  }
}

/** Reads a string and returns its length in UTF-16 units. */
function scanString(reader: Reader): number {
  return utf16Length(reader.varBytes(LIMITS.updateBytesMax, 'string'))
}

function scanJson(reader: Reader, orUndefined: boolean): void {
  const bytes = reader.varBytes(LIMITS.updateBytesMax, 'JSON')
  utf16Length(bytes)
  if (orUndefined && bytes.length === UNDEFINED.length && UNDEFINED.every((c, i) => bytes[i] === c)) return
  checkJson(bytes, LIMITS.valueDepthMax)
}

const UNDEFINED = Uint8Array.from('undefined', (c) => c.charCodeAt(0))

/** Content readers by their number in yjs (`contentRefs`); each returns the length in clock units. */
const CONTENT: Record<number, (reader: Reader) => number> = {
  // ContentDeleted
  1: (reader) => reader.varUint(),
  // ContentJSON
  2: (reader) => {
    const count = reader.varUint()
    for (let i = 0; i < count; i++) scanJson(reader, true)
    return count
  },
  // ContentBinary
  3: (reader) => {
    reader.varBytes(LIMITS.updateBytesMax, 'binary')
    return 1
  },
  // ContentString
  4: scanString,
  // ContentEmbed
  5: (reader) => {
    scanJson(reader, false)
    return 1
  },
  // ContentFormat
  6: (reader) => {
    scanString(reader)
    scanJson(reader, false)
    return 1
  },
  // ContentType
  7: (reader) => {
    const type = reader.varUint()
    if (type > 6) throw new ProtocolError('malformed', `unknown shared type ${type}`)
    if (type === XML_ELEMENT || type === XML_HOOK) scanString(reader)
    return 1
  },
  // ContentAny
  8: (reader) => {
    const count = reader.varUint()
    for (let i = 0; i < count; i++) scanAny(reader, 0)
    return count
  },
  // ContentDoc
  9: (reader) => {
    scanString(reader)
    scanDocOptions(reader)
    return 1
  },
}

const XML_ELEMENT = 3
const XML_HOOK = 5

/**
 * The options of a subdocument: an object. Yjs spreads it over those of its own, so a `guid` in it would
 * become the guid (of any type, which then cannot be written), and a `gcFilter` would be called.
 */
function scanDocOptions(reader: Reader): void {
  if (reader.byte() !== ANY_OBJECT) throw new ProtocolError('malformed', 'subdocument options are no object')
  for (let count = reader.varUint(); count > 0; count--) {
    const key = reader.varString(LIMITS.updateBytesMax, 'option')
    if (key === 'guid' || key === 'gcFilter') {
      throw new ProtocolError('malformed', `subdocument option ${key}`)
    }
    scanAny(reader, 1)
  }
}

const ANY_OBJECT = 118

/** lib0's `any` encoding: one byte that names the type, 127 downwards, then the value. */
function scanAny(reader: Reader, depth: number): void {
  if (depth > LIMITS.valueDepthMax) {
    throw new ProtocolError('too-large', `value is nested more than ${LIMITS.valueDepthMax} deep`)
  }
  const type = reader.byte()
  switch (type) {
    case 127: // undefined
    case 126: // null
    case 121: // false
    case 120: // true
      return
    case 125: // integer
      reader.varInt()
      return
    case 124: // float32
      reader.take(4)
      return
    case 123: // float64
    case 122: // bigint64
      reader.take(8)
      return
    case 119:
      scanString(reader)
      return
    case ANY_OBJECT: {
      const count = reader.varUint()
      for (let i = 0; i < count; i++) {
        scanString(reader)
        scanAny(reader, depth + 1)
      }
      return
    }
    case 117: {
      const count = reader.varUint()
      for (let i = 0; i < count; i++) scanAny(reader, depth + 1)
      return
    }
    case 116: // Uint8Array
      reader.varBytes(LIMITS.updateBytesMax, 'binary')
      return
    default:
      throw new ProtocolError('malformed', `unknown value type ${type}`)
  }
}

function scanDeleteSet(reader: Reader, sink: UpdateSink): void {
  const clients = reader.varUintMax(LIMITS.clientsMax, 'clients in a delete set')
  const seen = new Set<number>()
  for (let i = 0; i < clients; i++) {
    const client = reader.varUint()
    if (seen.has(client)) throw new ProtocolError('malformed', `client ${client} is in the delete set twice`)
    seen.add(client)
    scanDeletedRanges(reader, sink, client)
  }
}

function scanDeletedRanges(reader: Reader, sink: UpdateSink, client: number): void {
  let end = 0
  for (let ranges = reader.varUint(); ranges > 0; ranges--) {
    const clock = reader.varUint()
    const length = reader.varUint()
    // A Y.Doc keeps deletions of what it lacks in encoding v2, which holds only the distance to the
    // range before: anything but ascending order comes out as other ranges.
    if (clock < end) throw new ProtocolError('malformed', `deleted ranges of client ${client} overlap`)
    end = advance(clock, length)
    sink.deletion(client, clock, length)
  }
}
