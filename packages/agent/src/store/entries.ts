import { LIMITS, ProtocolError, scanUpdate } from '@skein/protocol'
import { mergeUpdates } from '@skein/sync'
import { SkeinError } from '../errors.js'

/**
 * Checks that a stored entry is a Yjs update, every byte of it.
 * @param place the database or directory, for the message
 * @throws SkeinError `store-corrupt`
 */
export function checkEntry(entry: unknown, place: string): Uint8Array {
  if (!(entry instanceof Uint8Array)) throw corrupt(place, `an entry of type ${typeof entry}`)
  try {
    scanUpdate(entry)
  } catch (error) {
    // The limits are those of the wire. An update over them is sound, and refusing it here would lock
    // the user out of everything else in the store.
    if (error instanceof ProtocolError && error.code === 'too-large') return entry
    throw corrupt(place, 'an entry that is no Yjs update', error)
  }
  return entry
}

/** @throws SkeinError `store-corrupt` where the stored number of waiting edits is none; absent means 0. */
export function checkQueued(value: unknown, place: string): number {
  if (value === undefined) return 0
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw corrupt(place, 'a count of waiting edits that is no such count')
}

/** @throws SkeinError `store-corrupt` where the stored epoch cannot be one; absent means none. */
export function checkEpoch(value: unknown, place: string): string {
  if (value === undefined) return ''
  if (typeof value === 'string' && value.length <= LIMITS.epochBytesMax) return value
  throw corrupt(place, 'an epoch that is none')
}

/** @throws SkeinError `store-corrupt` where the stored prefixes of strong keys cannot be those; absent means none. */
export function checkStrong(value: unknown, place: string): readonly string[] {
  if (value === undefined) return []
  const isList = Array.isArray(value) && value.length <= LIMITS.strongPrefixesMax
  if (isList && value.every((prefix) => typeof prefix === 'string' && prefix !== '')) return value
  throw corrupt(place, 'prefixes of strong keys that are none')
}

/** The error for stored bytes that are not what was written. */
export function corrupt(place: string, found: string, cause?: unknown): SkeinError {
  return new SkeinError(
    'store-corrupt',
    `The store ${place} contains ${found}. Nothing was overwritten. Restore it from a copy, or delete it and let the relays fill a new one.`,
    { cause },
  )
}

/**
 * Merges checked entries into one update with the same content, deleted history included.
 * @returns undefined where one update could be over what a frame takes, and the entries should stay
 */
export function mergeEntries(entries: readonly Uint8Array[]): Uint8Array | undefined {
  let bytes = 0
  for (const entry of entries) bytes += entry.length
  if (bytes > MERGE_BYTES_MAX) return undefined
  return mergeUpdates(entries)
}

/** Merging never adds bytes, so that what stays under this in sum also fits into one frame. */
const MERGE_BYTES_MAX = LIMITS.frameBytesMax - 1024
