import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import { LIMITS } from '../limits.js'
import type { Reader } from '../reader.js'
import { DIGEST_BYTES, digestFromBytes, digestToBytes } from '../yjs/digest.js'

/** y-websocket's sync messages (type 0): a state vector, the answer to one, or an update as it happens. */
export type SyncMessage =
  | {
      readonly type: 'sync-step-1'
      readonly stateVector: Uint8Array
      /** Of the sender's document; a receiver with the same one may answer that nothing is missing. */
      readonly digest?: string
    }
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
      // Behind what stock servers read; they ignore it.
      if (message.digest !== undefined) encoding.writeUint8Array(encoder, digestToBytes(message.digest))
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
    case STEP_1: {
      const stateVector = reader.varBytes(LIMITS.updateBytesMax, 'state vector')
      if (reader.remaining < DIGEST_BYTES) return { type: 'sync-step-1', stateVector }
      return { type: 'sync-step-1', stateVector, digest: digestFromBytes(reader.take(DIGEST_BYTES)) }
    }
    case STEP_2:
      return { type: 'sync-step-2', update: reader.varBytes(LIMITS.updateBytesMax, 'update') }
    case UPDATE:
      return { type: 'update', update: reader.varBytes(LIMITS.updateBytesMax, 'update') }
    default:
      throw new ProtocolError('malformed', `unknown sync message ${kind}`)
  }
}
