import {
  type AcceptorRecord,
  type Ballot,
  type ClientRecord,
  type Configuration,
  type Member,
  PAXOS_LIMITS,
  type Register,
  type StoredResult,
} from '@skein/paxos'
import { type ByteReader, type ByteWriter, MalformedBytes } from './bytes.js'
import { CLUSTER_LIMITS } from './limits.js'

/** What members store and send alike. */

export function writeBallot(writer: ByteWriter, { counter, proposer, incarnation }: Ballot): void {
  writer.uint(counter)
  writer.text(proposer)
  writer.uint(incarnation)
}

export function readBallot(reader: ByteReader): Ballot {
  const counter = reader.uint()
  const proposer = reader.text(CLUSTER_LIMITS.memberIdBytesMax)
  return { counter, proposer, incarnation: reader.uint() }
}

export function writeRegister(writer: ByteWriter, register: Register): void {
  const { version, fence, data, clients, forgotten } = register
  writer.uint(version)
  writer.uint(fence)
  writer.byte(data === undefined ? 0 : 1)
  if (data !== undefined) writer.text(data)
  writer.uint(forgotten)
  writer.uint(clients.length)
  for (const { client, settled, results } of clients) {
    writer.text(client)
    writer.uint(settled)
    writer.uint(results.length)
    for (const result of results) {
      writer.uint(result.sequence)
      writer.byte(result.applied ? 1 : 0)
      writer.uint(result.version)
      writer.uint(result.fence)
    }
  }
}

export function readRegister(reader: ByteReader): Register {
  const version = reader.uint()
  const fence = reader.uint()
  const data = reader.boolean() ? reader.text(CLUSTER_LIMITS.dataBytesMax) : undefined
  const forgotten = reader.uint()
  const clients = many(reader, PAXOS_LIMITS.clientsMax, readClient)
  return { version, fence, data, clients, forgotten }
}

function readClient(reader: ByteReader): ClientRecord {
  const client = reader.text(CLUSTER_LIMITS.clientBytesMax)
  const settled = reader.uint()
  return { client, settled, results: many(reader, PAXOS_LIMITS.resultsPerClientMax, readResult) }
}

function readResult(reader: ByteReader): StoredResult {
  const sequence = reader.uint()
  const applied = reader.boolean()
  const version = reader.uint()
  return { sequence, applied, version, fence: reader.uint() }
}

export function writeConfiguration(writer: ByteWriter, { epoch, members, next }: Configuration): void {
  writer.uint(epoch)
  writeMembers(writer, members)
  writer.byte(next === undefined ? 0 : 1)
  if (next !== undefined) writeMembers(writer, next)
}

export function readConfiguration(reader: ByteReader): Configuration {
  const epoch = reader.uint()
  const members = readMembers(reader)
  return reader.boolean() ? { epoch, members, next: readMembers(reader) } : { epoch, members }
}

function writeMembers(writer: ByteWriter, members: readonly Member[]): void {
  writer.uint(members.length)
  for (const { id, store } of members) {
    writer.text(id)
    writer.text(store)
  }
}

function readMembers(reader: ByteReader): Member[] {
  const members = many(reader, PAXOS_LIMITS.membersMax, () => ({
    id: reader.text(CLUSTER_LIMITS.memberIdBytesMax, 1),
    store: reader.text(CLUSTER_LIMITS.storeIdBytesMax, 1),
  }))
  if (members.length === 0) throw new MalformedBytes('a cluster without members')
  if (new Set(members.map(({ id }) => id)).size < members.length) throw new MalformedBytes('a member twice')
  return members
}

export function writeRecord(writer: ByteWriter, { promised, accepted, register }: AcceptorRecord): void {
  writeBallot(writer, promised)
  writeBallot(writer, accepted)
  writeRegister(writer, register)
}

export function readRecord(reader: ByteReader): AcceptorRecord {
  const promised = readBallot(reader)
  const accepted = readBallot(reader)
  return { promised, accepted, register: readRegister(reader) }
}

export function many<T>(reader: ByteReader, max: number, read: (reader: ByteReader) => T): T[] {
  const count = reader.count(max)
  const items: T[] = []
  for (let i = 0; i < count; i++) items.push(read(reader))
  return items
}
