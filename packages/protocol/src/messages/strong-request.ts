import * as encoding from 'lib0/encoding'
import { ProtocolError } from '../error.js'
import { LIMITS } from '../limits.js'
import type { Reader } from '../reader.js'
import {
  readFlag,
  readKey,
  readOperationId,
  readPositive,
  readPrefixes,
  readValue,
  type StrongOperationId,
  writeOperationId,
  writePrefixes,
  writeValue,
} from './strong-values.js'

/** An agent asks a relay for something of the strong region (type 75). */
export interface StrongRequestMessage {
  readonly type: 'strong-request'
  /** Names the request in its answer; of the agent's own choice, from 1, and used once in a connection. */
  readonly number: number
  readonly request: StrongRequest
}

export type StrongRequest =
  /** Reads what is decided. */
  | { readonly kind: 'get'; readonly key: string; readonly deadlineMs: number }
  | StrongWrite
  /** Settles for ever whether a write was applied. */
  | {
      readonly kind: 'resolve'
      readonly key: string
      readonly deadlineMs: number
      readonly id: StrongOperationId
      /** As in the write itself. */
      readonly since: number
    }
  /** Asks to be told of the key's values as they are decided, the present one first. */
  | { readonly kind: 'watch'; readonly key: string }
  | { readonly kind: 'unwatch'; readonly key: string }
  /** Decides the prefixes of strong keys where that is not done yet; without any it only asks for them. */
  | { readonly kind: 'declare'; readonly deadlineMs: number; readonly prefixes: readonly string[] }

/** Sets a key, or deletes it. */
export interface StrongWrite {
  readonly kind: 'write'
  readonly key: string
  /** From its arrival, in milliseconds; 1 to {@link LIMITS.strongDeadlineMsMax}. */
  readonly deadlineMs: number
  readonly id: StrongOperationId
  /** A version at which it was certainly not applied yet; the same in each attempt after an unknown one. */
  readonly since: number
  /** The client will not ask again about its operations up to this sequence. */
  readonly settled: number
  readonly condition: StrongCondition
  /** A lease's renewal: the fence stays. */
  readonly keepsFence: boolean
  /** A JSON text; undefined deletes. */
  readonly data: string | undefined
}

/** What must hold for a write to be applied. */
export type StrongCondition =
  | { readonly kind: 'none' }
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'fence'; readonly fence: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'present' }

export const STRONG_REQUEST_ID = 75

const KINDS = ['get', 'write', 'resolve', 'watch', 'unwatch', 'declare'] as const
const CONDITIONS = ['none', 'version', 'fence', 'absent', 'present'] as const

export function encodeStrongRequest(
  encoder: encoding.Encoder,
  { number, request }: StrongRequestMessage,
): void {
  encoding.writeVarUint(encoder, number)
  encoding.writeUint8(encoder, KINDS.indexOf(request.kind))
  if (request.kind !== 'declare') encoding.writeVarString(encoder, request.key)
  if (request.kind === 'watch' || request.kind === 'unwatch') return
  encoding.writeVarUint(encoder, request.deadlineMs)
  switch (request.kind) {
    case 'get':
      return
    case 'write':
      writeWrite(encoder, request)
      return
    case 'resolve':
      writeOperationId(encoder, request.id)
      encoding.writeVarUint(encoder, request.since)
      return
    case 'declare':
      writePrefixes(encoder, request.prefixes)
  }
}

export function decodeStrongRequest(reader: Reader): StrongRequestMessage {
  const number = readPositive(reader, 'the number of a request')
  return { type: 'strong-request', number, request: readRequest(reader) }
}

function readRequest(reader: Reader): StrongRequest {
  const kind = KINDS[reader.byte()]
  if (kind === undefined) throw new ProtocolError('malformed', 'unknown kind of strong request')
  if (kind === 'declare') {
    return { kind, deadlineMs: readDeadline(reader), prefixes: readPrefixes(reader) }
  }
  const key = readKey(reader)
  if (kind === 'watch' || kind === 'unwatch') return { kind, key }
  const deadlineMs = readDeadline(reader)
  switch (kind) {
    case 'get':
      return { kind, key, deadlineMs }
    case 'write':
      return readWrite(reader, key, deadlineMs)
    case 'resolve':
      return { kind, key, deadlineMs, id: readOperationId(reader), since: reader.varUint() }
  }
}

function writeWrite(encoder: encoding.Encoder, write: StrongWrite): void {
  const { condition } = write
  writeOperationId(encoder, write.id)
  encoding.writeVarUint(encoder, write.since)
  encoding.writeVarUint(encoder, write.settled)
  encoding.writeUint8(encoder, CONDITIONS.indexOf(condition.kind))
  if (condition.kind === 'version') encoding.writeVarUint(encoder, condition.version)
  if (condition.kind === 'fence') encoding.writeVarUint(encoder, condition.fence)
  encoding.writeUint8(encoder, write.keepsFence ? 1 : 0)
  writeValue(encoder, write.data)
}

function readWrite(reader: Reader, key: string, deadlineMs: number): StrongWrite {
  const id = readOperationId(reader)
  const since = reader.varUint()
  const settled = reader.varUint()
  const condition = readCondition(reader)
  const keepsFence = readFlag(reader, 'whether the fence is kept')
  const data = readValue(reader)
  return { kind: 'write', key, deadlineMs, id, since, settled, condition, keepsFence, data }
}

function readCondition(reader: Reader): StrongCondition {
  const kind = CONDITIONS[reader.byte()]
  if (kind === undefined) throw new ProtocolError('malformed', 'unknown condition')
  switch (kind) {
    case 'version':
      return { kind, version: reader.varUint() }
    case 'fence':
      return { kind, fence: reader.varUint() }
    case 'none':
    case 'absent':
    case 'present':
      return { kind }
  }
}

function readDeadline(reader: Reader): number {
  const deadlineMs = reader.varUintMax(LIMITS.strongDeadlineMsMax, 'deadline')
  if (deadlineMs === 0) throw new ProtocolError('malformed', 'a deadline of 0 ms')
  return deadlineMs
}
