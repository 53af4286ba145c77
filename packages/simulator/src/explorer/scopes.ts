import type { Operation } from '@skein/paxos'
import type { Scope } from './explore.js'

function write(client: string, sequence: number, data: string, version?: number): Operation {
  const condition = version === undefined ? undefined : ({ kind: 'version', version } as const)
  return { kind: 'write', id: { client, sequence }, since: 0, settled: 0, condition, data, keepsFence: false }
}

const READ: Operation = { kind: 'read' }
const plain = { counterMax: 2, timeouts: 0, restarts: 0, hasSlowDisks: false, statesMax: 200_000 }

/** What is tried in full, within seconds. */
export const SCOPES: readonly Scope[] = [
  { ...plain, name: 'two writes', operations: [[write('x', 1, 'x1')], [write('y', 1, 'y1')]] },
  { ...plain, name: 'a write and a read', operations: [[write('x', 1, 'x1')], [READ]] },
  {
    ...plain,
    name: 'a write and a compare-and-set',
    operations: [[write('x', 1, 'x1')], [write('y', 1, 'y1', 0)]],
  },
]
