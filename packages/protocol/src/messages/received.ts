import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import type { Reader } from '../reader.js'

/**
 * Everything up to this number has arrived (type 84), though it may not be on any disk yet: the receiver learns
 * how fast and how well the connection carries what it sends. Only to a peer whose hello names `STANDBY_FEATURE`.
 */
export interface ReceivedMessage {
  readonly type: 'received'
  /** The last numbered update. */
  readonly to: number
}

export const RECEIVED_ID = 84

export function encodeReceived(encoder: encoding.Encoder, { to }: ReceivedMessage): void {
  encoding.writeVarUint(encoder, to)
}

export function decodeReceived(reader: Reader): ReceivedMessage {
  const to = reader.varUint()
  if (to === 0) throw new ProtocolError('malformed', 'the number 0 is no update')
  return { type: 'received', to }
}
