import { compareKeys } from '@skein/paxos'
import type { Environment, Table } from '../log/lmdb-environment.js'
import { decodeRecord, encodeRecord } from '../log/record.js'
import { ByteReader, ByteWriter } from './bytes.js'
import { readConfiguration, readRecord, writeConfiguration, writeRecord } from './register-codec.js'
import type { ClusterMeta, ClusterStorage } from './storage.js'
import { corrupt, unknownFormat } from './storage-errors.js'
import type { StoredWrite } from './write-ahead/batch.js'
import { openWriteAhead, type WriteAheadOptions } from './write-ahead/open-write-ahead.js'
import type { Checkpoint } from './write-ahead/write-ahead.js'

const META = Buffer.from('meta')
const CONFIGURATION = Buffer.from('configuration')
/** Up to which frame of the write-ahead files everything is in the tables. */
const WRITE_AHEAD = Buffer.from('write-ahead')
/** Its writes keep their order in the queue. */
const SCOPE = '\0strong'
/** In front of what is stored, so that a later relay can tell how to read it. */
const FORMAT = 1
/** 2 since there are write-ahead files: a relay that does not know them must not start without what is in them. */
const META_FORMAT = 2

/**
 * In the relay's own environment, behind two write-ahead files: a write is one flush of a file, where a transaction
 * of LMDB is two. A key is its UTF-8, whose order is that of `compareKeys`; the value is a checksum over both
 * and the record. It ends with the environment.
 * @throws RelayError `log-write`, and the `data-` codes
 */
export async function openLmdbStorage(
  { acceptor, cluster, commits, directory, beforeClose }: Environment,
  options: WriteAheadOptions = {},
): Promise<ClusterStorage> {
  const commit = (prepare: () => (() => void)[]) =>
    commits.add({
      scope: SCOPE,
      reads: false,
      bytes: 0,
      urgent: true,
      prepare() {
        const puts = prepare()
        return () => {
          for (const put of puts) put()
        }
      },
    })
  const checkpoint: Checkpoint = (writes, appliedNumber) =>
    commit(() => [
      ...[...writes].map((write) => putWrite(acceptor, cluster, write)),
      putOf(cluster, WRITE_AHEAD, FORMAT, (writer) => writer.uint(appliedNumber)),
    ])

  const appliedNumber = read(cluster, WRITE_AHEAD, FORMAT, (reader) => reader.uint())
  const writeAhead = await openWriteAhead(directory, appliedNumber, checkpoint, options)
  beforeClose(() => writeAhead.close())

  return {
    store: {
      get(key) {
        const write = writeAhead.get(key)
        if (write?.kind === 'record') return write.record
        return read(acceptor, Buffer.from(key), FORMAT, readRecord)
      },
      keys(after, limit) {
        const ahead = [...writeAhead.keys()].filter((key) => compareKeys(key, after) > 0)
        const all = new Set([...keysIn(acceptor, after, limit), ...ahead])
        return [...all].sort(compareKeys).slice(0, limit)
      },
    },
    meta: read(cluster, META, META_FORMAT, readMeta),
    configuration: read(cluster, CONFIGURATION, FORMAT, readConfiguration),
    save: (meta, configuration) =>
      commit(() => [
        putOf(cluster, META, META_FORMAT, (writer) => writer.text(JSON.stringify(meta))),
        ...(configuration === undefined
          ? []
          : [putWrite(acceptor, cluster, { kind: 'configuration', configuration })]),
      ]),
    write: (take) => writeAhead.append(take),
    checkpoints: () => writeAhead.checkpoints,
  }
}

const META_BYTES_MAX = 1024 * 1024

function readMeta(reader: ByteReader): ClusterMeta {
  return JSON.parse(reader.text(META_BYTES_MAX)) as ClusterMeta
}

function keysIn(table: Table, after: string, limit: number): string[] {
  // The smallest key behind another is that with a zero byte at its end.
  const start = after === '' ? Buffer.alloc(1) : Buffer.concat([Buffer.from(after), Buffer.alloc(1)])
  return [...table.getKeys({ start, limit })].map((key) => key.toString())
}

function putWrite(acceptor: Table, cluster: Table, write: StoredWrite): () => void {
  if (write.kind === 'configuration') {
    return putOf(cluster, CONFIGURATION, FORMAT, (writer) => writeConfiguration(writer, write.configuration))
  }
  return putOf(acceptor, Buffer.from(write.key), FORMAT, (writer) => writeRecord(writer, write.record))
}

function putOf(table: Table, key: Buffer, format: number, write: (writer: ByteWriter) => void): () => void {
  const writer = new ByteWriter()
  writer.byte(format)
  write(writer)
  const record = encodeRecord(key, writer.finish())
  return () => void table.put(key, record)
}

function read<T>(
  table: Table,
  key: Buffer,
  formatMax: number,
  readValue: (reader: ByteReader) => T,
): T | undefined {
  const record = table.get(key)
  if (record === undefined) return undefined
  const bytes = decodeRecord(key, record)
  if (bytes === undefined)
    throw corrupt(`the record of ${JSON.stringify(key.toString())} is not what was written`)
  const reader = new ByteReader(bytes)
  const format = reader.byte()
  if (format < 1 || format > formatMax) throw unknownFormat('the strong region', format, formatMax)
  const value = readValue(reader)
  reader.end()
  return value
}
