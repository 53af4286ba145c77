import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import { LIMITS } from '../limits.js'
import type { Reader } from '../reader.js'

/** y-protocols' auth (type 2): the server denies access, with a reason for people. */
export interface AuthDeniedMessage {
  readonly type: 'auth-denied'
  readonly reason: string
}

export const AUTH_ID = 2

const DENIED = 0

export function encodeAuth(encoder: encoding.Encoder, message: AuthDeniedMessage): void {
  encoding.writeVarUint(encoder, DENIED)
  encoding.writeVarString(encoder, message.reason)
}

export function decodeAuth(reader: Reader): AuthDeniedMessage {
  const kind = reader.varUint()
  if (kind !== DENIED) throw new ProtocolError('malformed', `unknown auth message ${kind}`)
  return { type: 'auth-denied', reason: reader.varString(LIMITS.reasonBytesMax, 'reason') }
}
