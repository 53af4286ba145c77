import * as encoding from 'lib0/encoding'
import type { Reader } from '../reader.js'
import { readEntry, readKey, type StrongEntry, writeEntry } from './strong-values.js'

/** A decided value of a key that the receiver watches (type 77). Versions of a key rise; some may be skipped. */
export interface StrongEventMessage {
  readonly type: 'strong-event'
  readonly key: string
  readonly entry: StrongEntry
}

export const STRONG_EVENT_ID = 77

export function encodeStrongEvent(encoder: encoding.Encoder, { key, entry }: StrongEventMessage): void {
  encoding.writeVarString(encoder, key)
  writeEntry(encoder, entry)
}

export function decodeStrongEvent(reader: Reader): StrongEventMessage {
  return { type: 'strong-event', key: readKey(reader), entry: readEntry(reader) }
}
