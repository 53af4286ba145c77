import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import { LIMITS } from '../limits.js'
import type { Reader } from '../reader.js'

/**
 * An update that asks to be acknowledged (type 65). Numbers count up from 1 in each connection. One that
 * answers a step 1 covers every earlier edit of its sender, so its acknowledgement does too.
 */
export interface NumberedUpdateMessage {
  readonly type: 'numbered-update'
  readonly seq: number
  /** Whether this answers a step 1 (and the receiver is now up to date with the sender). */
  readonly answersStep1: boolean
  readonly update: Uint8Array
}

export const NUMBERED_UPDATE_ID = 65

export function encodeNumberedUpdate(encoder: encoding.Encoder, message: NumberedUpdateMessage): void {
  encoding.writeVarUint(encoder, message.seq)
  encoding.writeUint8(encoder, message.answersStep1 ? 1 : 0)
  encoding.writeVarUint8Array(encoder, message.update)
}

export function decodeNumberedUpdate(reader: Reader): NumberedUpdateMessage {
  const seq = reader.varUint()
  if (seq === 0) throw new ProtocolError('malformed', 'update numbers start at 1')
  const kind = reader.byte()
  if (kind > 1) throw new ProtocolError('malformed', `unknown kind ${kind} of numbered update`)
  const update = reader.varBytes(LIMITS.updateBytesMax, 'update')
  return { type: 'numbered-update', seq, answersStep1: kind === 1, update }
}
