import * as encoding from 'lib0/encoding'
import type { StateVector } from './state-vector.js'

/** Deleted ranges of each client: `[clock, length]`, ascending, neither empty nor touching. */
export type DeleteSet = ReadonlyMap<number, readonly (readonly [clock: number, length: number])[]>

/**
 * Names the content of a replica in 16 hexadecimal digits: equal for replicas with the same state
 * vector and the same delete set, whatever way the updates took. A state vector alone does not do: it
 * says nothing of deletions.
 *
 * The hash is two independent 32-bit lanes: FNV-1a (Fowler, Noll, Vo) and a rotate-xor-multiply with
 * the golden ratio's constant. It finds divergence by accident, not by an adversary.
 */
export function digestOf(stateVector: StateVector, deleteSet: DeleteSet): string {
  const encoder = encoding.createEncoder()
  for (const [client, clock] of sorted(stateVector)) {
    if (clock === 0) continue
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, clock)
  }
  // No client has clock 0 above, so this separator cannot be mistaken for an entry.
  encoding.writeVarUint(encoder, 0)
  encoding.writeVarUint(encoder, 0)
  for (const [client, ranges] of sorted(deleteSet)) {
    if (ranges.length === 0) continue
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, ranges.length)
    for (const [clock, length] of ranges) {
      encoding.writeVarUint(encoder, clock)
      encoding.writeVarUint(encoder, length)
    }
  }
  const bytes = encoding.toUint8Array(encoder)
  let first = 0x811c9dc5
  let second = 0
  for (const byte of bytes) {
    first = Math.imul(first ^ byte, 0x01000193)
    second = Math.imul(((second << 5) | (second >>> 27)) ^ byte, 0x9e3779b1)
  }
  return hex(first) + hex(second)
}

/** A digest has so many bytes: twice as many hexadecimal digits. */
export const DIGEST_BYTES = 8

export function digestToBytes(digest: string): Uint8Array {
  return Uint8Array.from({ length: DIGEST_BYTES }, (_, i) =>
    Number.parseInt(digest.slice(2 * i, 2 * i + 2), 16),
  )
}

export function digestFromBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function sorted<V>(map: ReadonlyMap<number, V>): [number, V][] {
  return [...map].sort((a, b) => a[0] - b[0])
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0')
}
