import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import { checkJson } from '../json.js'
import { LIMITS } from '../limits.js'
import { Reader } from '../reader.js'
import { utf16Length } from '../utf8.js'

/** y-protocols' awareness (type 1): who is present. `update` holds the entries as y-protocols encodes them. */
export interface AwarenessMessage {
  readonly type: 'awareness'
  readonly update: Uint8Array
}

export const AWARENESS_ID = 1

export function encodeAwareness(encoder: encoding.Encoder, message: AwarenessMessage): void {
  encoding.writeVarUint8Array(encoder, message.update)
}

export function decodeAwareness(reader: Reader): AwarenessMessage {
  return { type: 'awareness', update: reader.varBytes(LIMITS.frameBytesMax, 'awareness update') }
}

/** One client's presence: the state as JSON bytes, `null` in JSON for a client that left. */
export interface AwarenessEntry {
  readonly client: number
  readonly clock: number
  /** UTF-8 JSON, a view into the message. */
  readonly state: Uint8Array
}

/** Splits an awareness update into its entries; JSON is checked, not built. @throws ProtocolError */
export function readAwarenessEntries(update: Uint8Array): AwarenessEntry[] {
  const reader = new Reader(update)
  const count = reader.varUintMax(LIMITS.awarenessEntriesMax, 'awareness entries')
  const entries: AwarenessEntry[] = []
  for (let i = 0; i < count; i++) {
    const client = reader.varUint()
    const clock = reader.varUint()
    const state = reader.varBytes(LIMITS.awarenessStateBytesMax, 'awareness state')
    utf16Length(state)
    checkJson(state, LIMITS.valueDepthMax)
    entries.push({ client, clock, state })
  }
  if (reader.remaining > 0)
    throw new ProtocolError('malformed', `${reader.remaining} bytes after the entries`)
  return entries
}

/** Writes entries as the `update` of an awareness message. None at all is the stock keep-alive. */
export function writeAwarenessEntries(entries: readonly AwarenessEntry[]): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, entries.length)
  for (const { client, clock, state } of entries) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarUint8Array(encoder, state)
  }
  return encoding.toUint8Array(encoder)
}

/** The state of a client that left: JSON `null`. */
export const AWARENESS_NULL: Uint8Array = Uint8Array.of(0x6e, 0x75, 0x6c, 0x6c)

export function isAwarenessNull(state: Uint8Array): boolean {
  return state.length === 4 && AWARENESS_NULL.every((c, i) => state[i] === c)
}
