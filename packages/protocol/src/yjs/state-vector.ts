import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import { LIMITS } from '../limits.js'
import { Reader } from '../reader.js'

/** How much of each client's edits a replica has: client id to the next clock it lacks. */
export type StateVector = ReadonlyMap<number, number>

/** Reads an encoded state vector. @throws ProtocolError */
export function decodeStateVector(bytes: Uint8Array): Map<number, number> {
  const reader = new Reader(bytes)
  const count = reader.varUintMax(LIMITS.clientsMax, 'clients in a state vector')
  const vector = new Map<number, number>()
  for (let i = 0; i < count; i++) vector.set(reader.varUint(), reader.varUint())
  if (reader.remaining > 0) {
    throw new ProtocolError('malformed', `${reader.remaining} bytes after the state vector`)
  }
  return vector
}

/** Writes a state vector as `Y.encodeStateVector` does: clients in descending order. */
export function encodeStateVector(vector: StateVector): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, vector.size)
  for (const [client, clock] of [...vector].sort((a, b) => b[0] - a[0])) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, clock)
  }
  return encoding.toUint8Array(encoder)
}
