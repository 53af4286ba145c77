import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import type { Reader } from '../reader.js'

/** How safe an acknowledged update is: on one relay's disk, or on a majority of the relays' disks. */
export type AckTier = 'relay' | 'quorum'

/** The updates `from` to `to`, both included, have reached a tier (type 66). Sent only after the flush. */
export interface AckMessage {
  readonly type: 'ack'
  readonly from: number
  readonly to: number
  readonly tier: AckTier
}

export const ACK_ID = 66

const TIERS: readonly AckTier[] = ['relay', 'quorum']

export function encodeAck(encoder: encoding.Encoder, message: AckMessage): void {
  encoding.writeVarUint(encoder, message.from)
  encoding.writeVarUint(encoder, message.to)
  encoding.writeUint8(encoder, TIERS.indexOf(message.tier))
}

export function decodeAck(reader: Reader): AckMessage {
  const from = reader.varUint()
  const to = reader.varUint()
  if (from === 0 || to < from) throw new ProtocolError('malformed', `acknowledged range ${from} to ${to}`)
  const tier = TIERS[reader.byte()]
  if (tier === undefined) throw new ProtocolError('malformed', 'unknown durability tier')
  return { type: 'ack', from, to, tier }
}
