import * as encoding from 'lib0/encoding'
import { ProtocolError } from './error.js'
import { LIMITS } from './limits.js'
import { ACK_ID, type AckMessage, decodeAck, encodeAck } from './messages/ack.js'
import { AUTH_ID, type AuthDeniedMessage, decodeAuth, encodeAuth } from './messages/auth.js'
import {
  AWARENESS_ID,
  type AwarenessMessage,
  decodeAwareness,
  encodeAwareness,
} from './messages/awareness.js'
import { CHUNK_ID, type ChunkMessage, decodeChunk, encodeChunk } from './messages/chunk.js'
import { decodeHello, encodeHello, HELLO_ID, type HelloMessage } from './messages/hello.js'
import { decodeNews, encodeNews, NEWS_ID, type NewsMessage } from './messages/news.js'
import {
  decodeNumberedUpdate,
  encodeNumberedUpdate,
  NUMBERED_UPDATE_ID,
  type NumberedUpdateMessage,
} from './messages/numbered-update.js'
import { decodePing, encodePing, PING_ID, type PingMessage } from './messages/ping.js'
import { decodePong, encodePong, PONG_ID, type PongMessage } from './messages/pong.js'
import { decodeReceived, encodeReceived, RECEIVED_ID, type ReceivedMessage } from './messages/received.js'
import { decodeReject, encodeReject, REJECT_ID, type RejectMessage } from './messages/reject.js'
import { decodeStandby, encodeStandby, STANDBY_ID, type StandbyMessage } from './messages/standby.js'
import {
  decodeStrongAnswer,
  encodeStrongAnswer,
  STRONG_ANSWER_ID,
  type StrongAnswerMessage,
} from './messages/strong-answer.js'
import {
  decodeStrongEvent,
  encodeStrongEvent,
  STRONG_EVENT_ID,
  type StrongEventMessage,
} from './messages/strong-event.js'
import {
  decodeStrongRequest,
  encodeStrongRequest,
  STRONG_REQUEST_ID,
  type StrongRequestMessage,
} from './messages/strong-request.js'
import { decodeSync, encodeSync, SYNC_ID, type SyncMessage } from './messages/sync.js'
import { Reader } from './reader.js'

/** Asks for everybody's presence (y-protocols, type 3). It has no body. */
export interface QueryAwarenessMessage {
  readonly type: 'query-awareness'
}

/**
 * Somebody waits for what the sender has sent so far to be on disk (type 81): the relay had better not wait
 * for more to flush with it. It has no body.
 */
export interface HurryMessage {
  readonly type: 'hurry'
}

/** A message of a type this version does not know. It is skipped, never fatal. */
export interface UnknownMessage {
  readonly type: 'unknown'
  readonly id: number
}

/** Everything that can be sent. */
export type Message =
  | SyncMessage
  | AwarenessMessage
  | AuthDeniedMessage
  | QueryAwarenessMessage
  | HelloMessage
  | NumberedUpdateMessage
  | AckMessage
  | RejectMessage
  | PingMessage
  | PongMessage
  | ChunkMessage
  | StrongRequestMessage
  | StrongAnswerMessage
  | StrongEventMessage
  | HurryMessage
  | StandbyMessage
  | NewsMessage
  | ReceivedMessage

const QUERY_AWARENESS_ID = 3
const HURRY_ID = 81

/** One message as one frame. */
export function encodeFrame(message: Message): Uint8Array {
  const encoder = encoding.createEncoder()
  const id = MESSAGE_IDS[message.type]
  encoding.writeVarUint(encoder, id)
  switch (message.type) {
    case 'sync-step-1':
    case 'sync-step-2':
    case 'update':
      encodeSync(encoder, message)
      break
    case 'awareness':
      encodeAwareness(encoder, message)
      break
    case 'auth-denied':
      encodeAuth(encoder, message)
      break
    case 'query-awareness':
    case 'hurry':
      break
    case 'hello':
      encodeHello(encoder, message)
      break
    case 'numbered-update':
      encodeNumberedUpdate(encoder, message)
      break
    case 'ack':
      encodeAck(encoder, message)
      break
    case 'reject':
      encodeReject(encoder, message)
      break
    case 'ping':
      encodePing(encoder, message)
      break
    case 'pong':
      encodePong(encoder, message)
      break
    case 'chunk':
      encodeChunk(encoder, message)
      break
    case 'strong-request':
      encodeStrongRequest(encoder, message)
      break
    case 'strong-answer':
      encodeStrongAnswer(encoder, message)
      break
    case 'strong-event':
      encodeStrongEvent(encoder, message)
      break
    case 'standby':
      encodeStandby(encoder, message)
      break
    case 'news':
      encodeNews(encoder, message)
      break
    case 'received':
      encodeReceived(encoder, message)
      break
  }
  return encoding.toUint8Array(encoder)
}

/**
 * Reads the first message of a frame. Bytes behind it are ignored, as stock clients do: newer versions
 * may append fields. Byte arrays in the message are views into the frame.
 * @throws ProtocolError and nothing else, whatever the bytes
 */
export function decodeFrame(frame: Uint8Array): Message | UnknownMessage {
  if (frame.length > LIMITS.frameBytesMax) {
    throw new ProtocolError('too-large', `frame of ${frame.length} bytes, at most ${LIMITS.frameBytesMax}`)
  }
  return decode(frame)
}

/** Reads a message that came in chunks, and may be longer than a frame. @throws ProtocolError as `decodeFrame` */
export function decodeChunked(message: Uint8Array): Exclude<Message, ChunkMessage> | UnknownMessage {
  if (message.length > LIMITS.messageBytesMax) {
    throw new ProtocolError(
      'too-large',
      `message of ${message.length} bytes, at most ${LIMITS.messageBytesMax}`,
    )
  }
  const decoded = decode(message)
  if (decoded.type === 'chunk') throw new ProtocolError('malformed', 'a chunk in chunks')
  return decoded
}

function decode(frame: Uint8Array): Message | UnknownMessage {
  const reader = new Reader(frame)
  const id = reader.varUint()
  const decoder = DECODERS.get(id)
  return decoder === undefined ? { type: 'unknown', id } : decoder(reader)
}

/** The wire number of each message type. Numbers below 64 belong to y-websocket. */
export const MESSAGE_IDS: Readonly<Record<Message['type'], number>> = {
  'sync-step-1': SYNC_ID,
  'sync-step-2': SYNC_ID,
  update: SYNC_ID,
  awareness: AWARENESS_ID,
  'auth-denied': AUTH_ID,
  'query-awareness': QUERY_AWARENESS_ID,
  hello: HELLO_ID,
  'numbered-update': NUMBERED_UPDATE_ID,
  ack: ACK_ID,
  reject: REJECT_ID,
  ping: PING_ID,
  pong: PONG_ID,
  chunk: CHUNK_ID,
  'strong-request': STRONG_REQUEST_ID,
  'strong-answer': STRONG_ANSWER_ID,
  'strong-event': STRONG_EVENT_ID,
  hurry: HURRY_ID,
  standby: STANDBY_ID,
  news: NEWS_ID,
  received: RECEIVED_ID,
}

const DECODERS: ReadonlyMap<number, (reader: Reader) => Message> = new Map<
  number,
  (reader: Reader) => Message
>([
  [SYNC_ID, decodeSync],
  [AWARENESS_ID, decodeAwareness],
  [AUTH_ID, decodeAuth],
  [QUERY_AWARENESS_ID, () => ({ type: 'query-awareness' })],
  [HELLO_ID, decodeHello],
  [NUMBERED_UPDATE_ID, decodeNumberedUpdate],
  [ACK_ID, decodeAck],
  [REJECT_ID, decodeReject],
  [PING_ID, decodePing],
  [PONG_ID, decodePong],
  [CHUNK_ID, decodeChunk],
  [STRONG_REQUEST_ID, decodeStrongRequest],
  [STRONG_ANSWER_ID, decodeStrongAnswer],
  [STRONG_EVENT_ID, decodeStrongEvent],
  [HURRY_ID, () => ({ type: 'hurry' })],
  [STANDBY_ID, decodeStandby],
  [NEWS_ID, decodeNews],
  [RECEIVED_ID, decodeReceived],
])
