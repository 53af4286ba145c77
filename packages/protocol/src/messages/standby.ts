import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import type { Reader } from '../reader.js'

/**
 * The sender stands by (type 82): it gets what it needs over another path, and wants to hear on this one only
 * that there is news. Not `on`: it takes part again, and asks for what it missed. Only to a peer whose hello
 * names `STANDBY_FEATURE`.
 */
export interface StandbyMessage {
  readonly type: 'standby'
  readonly on: boolean
}

export const STANDBY_ID = 82

export function encodeStandby(encoder: encoding.Encoder, { on }: StandbyMessage): void {
  encoding.writeUint8(encoder, on ? 1 : 0)
}

export function decodeStandby(reader: Reader): StandbyMessage {
  const flag = reader.byte()
  if (flag > 1)
    throw new ProtocolError('malformed', `${flag} says neither that it stands by nor that it does not`)
  return { type: 'standby', on: flag === 1 }
}
