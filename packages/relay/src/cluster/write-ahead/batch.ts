import type { AcceptorRecord, Configuration } from '@skein/paxos'
import { ByteReader, ByteWriter, MalformedBytes } from '../bytes.js'
import { CLUSTER_LIMITS } from '../limits.js'
import { readConfiguration, readRecord, writeConfiguration, writeRecord } from '../register-codec.js'
import { corrupt, unknownFormat } from '../storage-errors.js'

/** What an acceptor puts on disk; an `AcceptorWrite` without the number, which counts within a process. */
export type StoredWrite =
  | { readonly kind: 'record'; readonly key: string; readonly record: AcceptorRecord }
  | { readonly kind: 'configuration'; readonly configuration: Configuration }

/** The last write of each key, and the last configuration. */
export type LatestWrites = Map<string, StoredWrite>

/** In front of a batch, so that a later relay can tell how to read it. */
const FORMAT = 1
const RECORD = 0
const CONFIGURATION = 1
/** The whole batch went to the store behind. */
const GONE_BEHIND = 2

/** What a write takes the place of: no key is empty. */
export function slotOf(write: StoredWrite): string {
  return write.kind === 'record' ? write.key : ''
}

export function latestOf(writes: Iterable<StoredWrite>): LatestWrites {
  const latest: LatestWrites = new Map()
  for (const write of writes) latest.set(slotOf(write), write)
  return latest
}

export function encodeBatch(writes: LatestWrites): Uint8Array {
  const writer = new ByteWriter()
  writer.byte(FORMAT)
  for (const write of writes.values()) {
    if (write.kind === 'record') {
      writer.byte(RECORD)
      writer.text(write.key)
      writeRecord(writer, write.record)
    } else {
      writer.byte(CONFIGURATION)
      writeConfiguration(writer, write.configuration)
    }
  }
  return writer.finish()
}

/** In the place of a batch that is in the store behind, and in no frame. */
export function encodeGoneBehind(): Uint8Array {
  return Uint8Array.of(FORMAT, GONE_BEHIND)
}

/** @throws RelayError `data-version`, `data-corrupt` */
export function decodeBatch(bytes: Uint8Array): StoredWrite[] {
  const reader = new ByteReader(bytes)
  try {
    const format = reader.byte()
    if (format !== FORMAT) throw unknownFormat('the write-ahead file of the strong region', format, FORMAT)
    const writes: StoredWrite[] = []
    while (!reader.isAtEnd) writes.push(readWrite(reader))
    return writes
  } catch (cause) {
    if (!(cause instanceof MalformedBytes)) throw cause
    throw corrupt(`a batch in the write-ahead file cannot be read: ${cause.message}`, cause)
  }
}

function readWrite(reader: ByteReader): StoredWrite {
  const kind = reader.byte()
  if (kind === RECORD) {
    const key = reader.text(CLUSTER_LIMITS.keyBytesMax)
    return { kind: 'record', key, record: readRecord(reader) }
  }
  if (kind === GONE_BEHIND) throw new MalformedBytes('it is in LMDB, which was put back to an older state')
  if (kind !== CONFIGURATION) throw new MalformedBytes(`a write of kind ${kind}`)
  return { kind: 'configuration', configuration: readConfiguration(reader) }
}
