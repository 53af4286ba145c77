import * as encoding from 'lib0/encoding'
import type { Reader } from '../reader.js'

/** Answers a ping with the time it carried (type 69); the two clocks need not agree. */
export interface PongMessage {
  readonly type: 'pong'
  readonly pingSentAtUs: number
}

export const PONG_ID = 69

export function encodePong(encoder: encoding.Encoder, message: PongMessage): void {
  encoding.writeVarUint(encoder, message.pingSentAtUs)
}

export function decodePong(reader: Reader): PongMessage {
  return { type: 'pong', pingSentAtUs: reader.varUint() }
}
