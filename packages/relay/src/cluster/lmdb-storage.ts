import type { AcceptorWrite, Configuration } from '@skein/paxos'
import { RelayError } from '../errors.js'
import type { Environment, Table } from '../log/lmdb-environment.js'
import { decodeRecord, encodeRecord } from '../log/record.js'
import { ByteReader, ByteWriter } from './bytes.js'
import { readConfiguration, readRecord, writeConfiguration, writeRecord } from './register-codec.js'
import type { ClusterMeta, ClusterStorage } from './storage.js'

const META = Buffer.from('meta')
const CONFIGURATION = Buffer.from('configuration')
/** Its writes keep their order in the queue. */
const SCOPE = '\0strong'
/** In front of what is stored, so that a later relay can tell how to read it. */
const FORMAT = 1

/**
 * In the relay's own environment, so that promises share its flushes. A key is its UTF-8, whose order is
 * that of `compareKeys`; the value is a checksum over both and the record.
 * @throws RelayError `data-corrupt`, `data-version`
 */
export function lmdbStorage({ acceptor, cluster, commits }: Environment): ClusterStorage {
  const metaBytes = load(cluster, META)
  const configurationBytes = load(cluster, CONFIGURATION)
  const add = (bytes: number, prepare: () => () => void) =>
    commits.add({ scope: SCOPE, reads: false, bytes, urgent: true, prepare })

  return {
    store: {
      get(key) {
        const bytes = load(acceptor, Buffer.from(key))
        return bytes === undefined ? undefined : decode(bytes, readRecord)
      },
      keys(after, limit) {
        // The smallest key behind another is that with a zero byte at its end.
        const start = after === '' ? Buffer.alloc(1) : Buffer.concat([Buffer.from(after), Buffer.alloc(1)])
        return [...acceptor.getKeys({ start, limit })].map((key) => key.toString())
      },
    },
    meta: metaBytes === undefined ? undefined : decode(metaBytes, readMeta),
    configuration:
      configurationBytes === undefined ? undefined : decode(configurationBytes, readConfiguration),

    async save(meta, configuration) {
      await add(0, () => {
        const puts = [putOf(cluster, META, (writer) => writer.text(JSON.stringify(meta)))]
        if (configuration !== undefined) puts.push(putConfiguration(configuration))
        return () => {
          for (const put of puts) put()
        }
      })
    },

    async write(take) {
      await add(0, () => {
        const puts = new Map<string, () => void>()
        // A later write of a key stands for the earlier ones.
        for (const write of take()) puts.set(write.kind === 'record' ? write.key : '', putWrite(write))
        return () => {
          for (const put of puts.values()) put()
        }
      })
    },
  }

  function putWrite(write: AcceptorWrite): () => void {
    if (write.kind === 'configuration') return putConfiguration(write.configuration)
    return putOf(acceptor, Buffer.from(write.key), (writer) => writeRecord(writer, write.record))
  }

  function putConfiguration(configuration: Configuration): () => void {
    return putOf(cluster, CONFIGURATION, (writer) => writeConfiguration(writer, configuration))
  }
}

const META_BYTES_MAX = 1024 * 1024

function readMeta(reader: ByteReader): ClusterMeta {
  return JSON.parse(reader.text(META_BYTES_MAX)) as ClusterMeta
}

function putOf(table: Table, key: Buffer, write: (writer: ByteWriter) => void): () => void {
  const writer = new ByteWriter()
  writer.byte(FORMAT)
  write(writer)
  const record = encodeRecord(key, writer.finish())
  return () => void table.put(key, record)
}

function load(table: Table, key: Buffer): Uint8Array | undefined {
  const record = table.get(key)
  if (record === undefined) return undefined
  const bytes = decodeRecord(key, record)
  if (bytes === undefined)
    throw corrupt(`the record of ${JSON.stringify(key.toString())} is not what was written`)
  return bytes
}

function decode<T>(bytes: Uint8Array, read: (reader: ByteReader) => T): T {
  const reader = new ByteReader(bytes)
  const format = reader.byte()
  if (format !== FORMAT) {
    const what = `the strong region is stored in format ${format}, this relay knows ${FORMAT}`
    throw new RelayError('data-version', `${what}. Nothing was changed. Use a newer relay`)
  }
  const value = read(reader)
  reader.end()
  return value
}

function corrupt(what: string): RelayError {
  return new RelayError(
    'data-corrupt',
    `strong region: ${what}. A member that cannot tell what it promised takes no part any more. Put another one ` +
      'in its place: start a relay on an empty directory under a new id, and call `replace`',
  )
}
