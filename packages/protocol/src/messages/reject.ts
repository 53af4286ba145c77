import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import { LIMITS } from '../limits.js'
import type { Reader } from '../reader.js'

/**
 * Why a relay refuses an update.
 * - `malformed`: not a Yjs update
 * - `too-large`: over the limit of the relay's hello
 * - `forbidden`: the sender may not write this
 * - `storage`: the relay cannot put it on disk
 */
export type RejectCode = 'malformed' | 'too-large' | 'forbidden' | 'storage'

/** The update with this number was not applied and not forwarded (type 67). Others are not affected. */
export interface RejectMessage {
  readonly type: 'reject'
  readonly seq: number
  readonly code: RejectCode
  /** For people; at most {@link LIMITS.reasonBytesMax} bytes. */
  readonly reason: string
}

export const REJECT_ID = 67

const CODES: readonly RejectCode[] = ['malformed', 'too-large', 'forbidden', 'storage']

export function encodeReject(encoder: encoding.Encoder, message: RejectMessage): void {
  encoding.writeVarUint(encoder, message.seq)
  encoding.writeUint8(encoder, CODES.indexOf(message.code))
  encoding.writeVarString(encoder, message.reason)
}

export function decodeReject(reader: Reader): RejectMessage {
  const seq = reader.varUint()
  const code = CODES[reader.byte()]
  if (seq === 0 || code === undefined) throw new ProtocolError('malformed', 'unknown rejection')
  return { type: 'reject', seq, code, reason: reader.varString(LIMITS.reasonBytesMax, 'reason') }
}
