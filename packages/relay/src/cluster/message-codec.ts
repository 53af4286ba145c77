import { PAXOS_LIMITS, type PeerMessage } from '@skein/paxos'
import { type ByteReader, type ByteWriter, MalformedBytes } from './bytes.js'
import { CLUSTER_LIMITS } from './limits.js'
import {
  many,
  readBallot,
  readConfiguration,
  readRegister,
  writeBallot,
  writeConfiguration,
  writeRegister,
} from './register-codec.js'

/** The first byte of each message. A number is never used for anything else. */
export const MESSAGE_NUMBERS = {
  prepare: 1,
  accept: 2,
  read: 3,
  commit: 4,
  install: 5,
  list: 6,
  promised: 7,
  accepted: 8,
  refused: 9,
  current: 10,
  'other-epoch': 11,
  installed: 12,
  listed: 13,
} as const satisfies Record<PeerMessage['kind'], number>

export function writeMessage(writer: ByteWriter, message: PeerMessage): void {
  writer.byte(MESSAGE_NUMBERS[message.kind])
  switch (message.kind) {
    case 'prepare':
      writer.uint(message.epoch)
      writer.text(message.key)
      writeBallot(writer, message.ballot)
      break
    case 'accept':
      writer.uint(message.epoch)
      writer.text(message.key)
      writeBallot(writer, message.ballot)
      writeBallot(writer, message.next)
      writeRegister(writer, message.register)
      break
    case 'read':
      writer.uint(message.epoch)
      writer.text(message.key)
      writeBallot(writer, message.round)
      writeBallot(writer, message.known)
      break
    case 'commit':
    case 'accepted':
      writer.text(message.key)
      writeBallot(writer, message.ballot)
      break
    case 'install':
    case 'other-epoch':
      writeConfiguration(writer, message.configuration)
      break
    case 'list':
      writer.uint(message.epoch)
      writer.text(message.after)
      break
    case 'promised':
      writer.text(message.key)
      writeBallot(writer, message.ballot)
      writeBallot(writer, message.accepted)
      writeRegister(writer, message.register)
      break
    case 'refused':
      writer.text(message.key)
      writeBallot(writer, message.ballot)
      writeBallot(writer, message.promised)
      break
    case 'current':
      writer.text(message.key)
      writeBallot(writer, message.round)
      writeBallot(writer, message.accepted)
      writer.byte(message.register === undefined ? 0 : 1)
      if (message.register !== undefined) writeRegister(writer, message.register)
      break
    case 'installed':
      writer.uint(message.epoch)
      break
    case 'listed':
      writer.uint(message.epoch)
      writer.text(message.after)
      writer.byte(message.isLast ? 1 : 0)
      writer.uint(message.keys.length)
      for (const key of message.keys) writer.text(key)
      break
  }
}

/** @throws MalformedBytes */
export function readMessage(reader: ByteReader): PeerMessage {
  const number = reader.byte()
  switch (number) {
    case MESSAGE_NUMBERS.prepare:
      return { kind: 'prepare', epoch: reader.uint(), key: readKey(reader), ballot: readBallot(reader) }
    case MESSAGE_NUMBERS.accept: {
      const epoch = reader.uint()
      const key = readKey(reader)
      const ballot = readBallot(reader)
      const next = readBallot(reader)
      return { kind: 'accept', epoch, key, ballot, next, register: readRegister(reader) }
    }
    case MESSAGE_NUMBERS.read: {
      const epoch = reader.uint()
      const key = readKey(reader)
      return { kind: 'read', epoch, key, round: readBallot(reader), known: readBallot(reader) }
    }
    case MESSAGE_NUMBERS.commit:
      return { kind: 'commit', key: readKey(reader), ballot: readBallot(reader) }
    case MESSAGE_NUMBERS.accepted:
      return { kind: 'accepted', key: readKey(reader), ballot: readBallot(reader) }
    case MESSAGE_NUMBERS.install:
      return { kind: 'install', configuration: readConfiguration(reader) }
    case MESSAGE_NUMBERS['other-epoch']:
      return { kind: 'other-epoch', configuration: readConfiguration(reader) }
    case MESSAGE_NUMBERS.list:
      return { kind: 'list', epoch: reader.uint(), after: reader.text(CLUSTER_LIMITS.keyBytesMax) }
    case MESSAGE_NUMBERS.promised: {
      const key = readKey(reader)
      const ballot = readBallot(reader)
      const accepted = readBallot(reader)
      return { kind: 'promised', key, ballot, accepted, register: readRegister(reader) }
    }
    case MESSAGE_NUMBERS.refused: {
      const key = readKey(reader)
      const ballot = readBallot(reader)
      return { kind: 'refused', key, ballot, promised: readBallot(reader) }
    }
    case MESSAGE_NUMBERS.current: {
      const key = readKey(reader)
      const round = readBallot(reader)
      const accepted = readBallot(reader)
      const register = reader.boolean() ? readRegister(reader) : undefined
      return { kind: 'current', key, round, accepted, register }
    }
    case MESSAGE_NUMBERS.installed:
      return { kind: 'installed', epoch: reader.uint() }
    case MESSAGE_NUMBERS.listed: {
      const epoch = reader.uint()
      const after = reader.text(CLUSTER_LIMITS.keyBytesMax)
      const isLast = reader.boolean()
      const keys = many(reader, PAXOS_LIMITS.keysPerPageMax, readKey)
      // The reader goes on behind the last one, so a page that is not the last cannot be empty.
      if (!isLast && keys.length === 0) throw new MalformedBytes('an empty page with more behind it')
      return { kind: 'listed', epoch, after, keys, isLast }
    }
    default:
      throw new MalformedBytes(`there is no message ${number}`)
  }
}

function readKey(reader: ByteReader): string {
  return reader.text(CLUSTER_LIMITS.keyBytesMax, 1)
}
