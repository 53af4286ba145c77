import type { Operation, ResolveOperation, WriteOperation } from '../../src/index.js'

let lastClient = 0

/** A write of a client of its own, unless it is given one. */
export function set(data: string | undefined, more: Partial<WriteOperation> = {}): WriteOperation {
  return {
    kind: 'write',
    id: { client: `client-${lastClient++}`, sequence: 1 },
    since: 0,
    settled: 0,
    condition: undefined,
    data,
    keepsFence: false,
    ...more,
  }
}

export function compareAndSet(version: number, data: string, more: Partial<WriteOperation> = {}) {
  return set(data, { condition: { kind: 'version', version }, ...more })
}

export function resolve({ id, since }: WriteOperation): ResolveOperation {
  return { kind: 'resolve', id, since }
}

export const READ: Operation = { kind: 'read' }
