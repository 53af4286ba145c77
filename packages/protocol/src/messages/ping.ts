import * as encoding from 'lib0/encoding'
import type { Reader } from '../reader.js'

/** Asks for a pong at once (type 68). `sentAtUs` is the sender's monotonic clock in microseconds. */
export interface PingMessage {
  readonly type: 'ping'
  readonly sentAtUs: number
}

export const PING_ID = 68

export function encodePing(encoder: encoding.Encoder, message: PingMessage): void {
  encoding.writeVarUint(encoder, message.sentAtUs)
}

export function decodePing(reader: Reader): PingMessage {
  return { type: 'ping', sentAtUs: reader.varUint() }
}
