import * as encoding from 'lib0/encoding'
import { LIMITS } from '../limits.js'
import type { Reader } from '../reader.js'
import { DIGEST_BYTES, digestFromBytes, digestToBytes } from '../yjs/digest.js'

/** What went by while the receiver stood by (type 83); the content itself comes over its other path. */
export interface NewsMessage {
  readonly type: 'news'
  /** The clocks of the clients that wrote something; others are left out. */
  readonly stateVector: Uint8Array
  /** Of the sender's document, now and then. */
  readonly digest?: string
}

export const NEWS_ID = 83

export function encodeNews(encoder: encoding.Encoder, { stateVector, digest }: NewsMessage): void {
  encoding.writeVarUint8Array(encoder, stateVector)
  if (digest !== undefined) encoding.writeUint8Array(encoder, digestToBytes(digest))
}

export function decodeNews(reader: Reader): NewsMessage {
  const stateVector = reader.varBytes(LIMITS.updateBytesMax, 'state vector')
  if (reader.remaining < DIGEST_BYTES) return { type: 'news', stateVector }
  return { type: 'news', stateVector, digest: digestFromBytes(reader.take(DIGEST_BYTES)) }
}
