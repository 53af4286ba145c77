import { type Entry, entryOf, type Register } from './register.js'
import { forget, recall, recordResult } from './results.js'

/** Names one operation of one client, in all its attempts over whichever relays. */
export interface OperationId {
  /** Unique among all clients, and never used again by another. */
  readonly client: string
  /** Rises with every operation of the client on a key; whole numbers from 1. */
  readonly sequence: number
}

/** What must hold of the register for a write to be applied. */
export type Condition =
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'fence'; readonly fence: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'present' }

/** Sets or deletes. Declarative: it does not depend on what its sender has read, but by its condition. */
export interface WriteOperation {
  readonly kind: 'write'
  readonly id: OperationId
  /**
   * A version at which it was certainly not applied yet, such as the last one its client knew before its
   * first attempt; 0 where nothing was known. The same in every attempt, unless all earlier ones were
   * definitely refused.
   */
  readonly since: number
  /** The client will not ask again about operations up to this sequence. */
  readonly settled: number
  readonly condition: Condition | undefined
  /** Undefined deletes. */
  readonly data: string | undefined
  /** True for a lease's renewal: the same holder goes on under the same fence. */
  readonly keepsFence: boolean
}

/** Settles for ever whether an operation was applied: if it was not by now, it never will be. */
export interface ResolveOperation {
  readonly kind: 'resolve'
  readonly id: OperationId
  /** As in the operation itself. */
  readonly since: number
}

/** Reads what is decided. */
export interface ReadOperation {
  readonly kind: 'read'
  /** Takes part in a write round even where a quorum agrees, so that the promises of a quorum rise. */
  readonly takesRound?: true
}

export type Operation = WriteOperation | ResolveOperation | ReadOperation

/** What an operation comes to once its round is decided. */
export type Result =
  /** It was applied, exactly once, and the register had this version and fence then. */
  | { readonly kind: 'done'; readonly version: number; readonly fence: number }
  /** Its condition did not hold; it was not applied. */
  | { readonly kind: 'conflict'; readonly current: Entry }
  | { readonly kind: 'value'; readonly current: Entry }
  /** It was given up by `resolve`: it was not applied and never will be. */
  | { readonly kind: 'aborted'; readonly current: Entry }
  /**
   * The register remembers too little to tell whether an earlier attempt was applied. This attempt was
   * not, and none with this or a lower `since` ever will be.
   */
  | { readonly kind: 'forgotten'; readonly current: Entry }

/** Applies an operation. Returns the same register where nothing changes. */
export function applyOperation(
  register: Register,
  operation: Operation,
): { readonly register: Register; readonly result: Result } {
  if (operation.kind === 'read') {
    return { register, result: { kind: 'value', current: entryOf(register) } }
  }
  const { id, since } = operation
  const memory = recall(register, id, since)
  if (memory === 'forgotten') return { register, result: { kind: 'forgotten', current: entryOf(register) } }
  if (memory !== 'unknown') {
    const { applied, version, fence } = memory
    const result: Result = applied
      ? { kind: 'done', version, fence }
      : { kind: 'aborted', current: entryOf(register) }
    return { register, result }
  }
  return operation.kind === 'resolve' ? abort(register, id) : write(register, operation)
}

function abort(before: Register, id: OperationId): { register: Register; result: Result } {
  const register = { ...before, version: before.version + 1 }
  const { version, fence } = register
  const aborted = recordResult(register, id, 0, { sequence: id.sequence, applied: false, version, fence })
  return { register: forget(aborted), result: { kind: 'aborted', current: entryOf(register) } }
}

function write(register: Register, operation: WriteOperation): { register: Register; result: Result } {
  const { id, settled, condition, data, keepsFence } = operation
  if (!holds(condition, register)) {
    return { register, result: { kind: 'conflict', current: entryOf(register) } }
  }
  const version = register.version + 1
  const fence = keepsFence ? register.fence : register.fence + 1
  const stored = { sequence: id.sequence, applied: true, version, fence }
  const written = recordResult({ ...register, version, fence, data }, id, settled, stored)
  return { register: forget(written), result: { kind: 'done', version, fence } }
}

function holds(condition: Condition | undefined, { version, fence, data }: Register): boolean {
  switch (condition?.kind) {
    case undefined:
      return true
    case 'version':
      return version === condition.version
    case 'fence':
      return fence === condition.fence
    case 'absent':
      return data === undefined
    case 'present':
      return data !== undefined
  }
}
