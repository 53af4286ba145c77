import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import { LIMITS } from '../limits.js'
import type { Reader } from '../reader.js'

/** y-websocket's sync messages (type 0): a state vector, the answer to one, or an update as it happens. */
export type SyncMessage =
  | { readonly type: 'sync-step-1'; readonly stateVector: Uint8Array }
  | { readonly type: 'sync-step-2'; readonly update: Uint8Array }
  | { readonly type: 'update'; readonly update: Uint8Array }

export const SYNC_ID = 0

const STEP_1 = 0
const STEP_2 = 1
const UPDATE = 2

export function encodeSync(encoder: encoding.Encoder, message: SyncMessage): void {
  switch (message.type) {
    case 'sync-step-1':
      encoding.writeVarUint(encoder, STEP_1)
      encoding.writeVarUint8Array(encoder, message.stateVector)
      return
    case 'sync-step-2':
    case 'update':
      encoding.writeVarUint(encoder, message.type === 'update' ? UPDATE : STEP_2)
      encoding.writeVarUint8Array(encoder, message.update)
  }
}

export function decodeSync(reader: Reader): SyncMessage {
  const kind = reader.varUint()
  switch (kind) {
    case STEP_1:
      return { type: 'sync-step-1', stateVector: reader.varBytes(LIMITS.updateBytesMax, 'state vector') }
    case STEP_2:
      return { type: 'sync-step-2', update: reader.varBytes(LIMITS.updateBytesMax, 'update') }
    case UPDATE:
      return { type: 'update', update: reader.varBytes(LIMITS.updateBytesMax, 'update') }
    default:
      throw new ProtocolError('malformed', `unknown sync message ${kind}`)
  }
}
