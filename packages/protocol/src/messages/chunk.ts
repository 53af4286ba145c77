import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import { LIMITS } from '../limits.js'
import type { Reader } from '../reader.js'

/**
 * A part of a message that is too large for one frame, or that would keep a slow line silent for too long
 * (type 74). The parts of one message come in order, and those of two never mix; other messages may come
 * between them. Only to a peer whose hello names {@link CHUNKS_FEATURE}.
 */
export interface ChunkMessage {
  readonly type: 'chunk'
  /** Bytes of the whole message. */
  readonly total: number
  /** Where this part belongs. */
  readonly offset: number
  readonly part: Uint8Array
}

export const CHUNK_ID = 74

export function encodeChunk(encoder: encoding.Encoder, { total, offset, part }: ChunkMessage): void {
  encoding.writeVarUint(encoder, total)
  encoding.writeVarUint(encoder, offset)
  encoding.writeVarUint8Array(encoder, part)
}

export function decodeChunk(reader: Reader): ChunkMessage {
  const total = reader.varUintMax(LIMITS.messageBytesMax, 'message in chunks')
  const offset = reader.varUint()
  const part = reader.varBytes(LIMITS.chunkBytesMax, 'chunk')
  if (part.length === 0 || offset + part.length > total) {
    throw new ProtocolError('malformed', `chunk of ${part.length} bytes at ${offset} of ${total}`)
  }
  return { type: 'chunk', total, offset, part }
}
