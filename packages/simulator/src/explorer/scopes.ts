import type { Operation } from '@skein/paxos'
import type { Scope } from './explore.js'

function write(client: string, sequence: number, data: string, version?: number): Operation {
  const condition = version === undefined ? undefined : ({ kind: 'version', version } as const)
  return { kind: 'write', id: { client, sequence }, since: 0, settled: 0, condition, data, keepsFence: false }
}

const READ: Operation = { kind: 'read' }
const plain = { timeouts: 0, restarts: 0, hasSlowDisks: false, statesMax: 40_000 }
const twoWrites = [[write('x', 1, 'x1')], [write('y', 1, 'y1')]]

/**
 * What is tried: as many states as fit into seconds, the nearest to the beginning first. All of them would be
 * millions, for every message may come to everyone at any time.
 */
export const SCOPES: readonly Scope[] = [
  { ...plain, name: 'one write', counterMax: 2, operations: [[write('x', 1, 'x1')], []] },
  { ...plain, name: 'two writes, a ballot each', counterMax: 1, operations: twoWrites },
  { ...plain, name: 'two writes', counterMax: 3, timeouts: 1, operations: twoWrites },
  { ...plain, name: 'a write and a read', counterMax: 2, operations: [[write('x', 1, 'x1')], [READ]] },
  {
    ...plain,
    name: 'a write and a compare-and-set',
    counterMax: 2,
    operations: [[write('x', 1, 'x1')], [write('y', 1, 'y1', 0)]],
  },
  {
    ...plain,
    name: 'two writes of one, slow disks, a crash',
    counterMax: 2,
    hasSlowDisks: true,
    operations: [[write('x', 1, 'x1'), write('x', 2, 'x2')], []],
  },
  {
    ...plain,
    name: 'a proposer that restarts',
    counterMax: 2,
    restarts: 1,
    operations: [[write('x', 1, 'x1'), write('x', 2, 'x2')], []],
  },
]
