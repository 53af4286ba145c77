import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatBallot, type Operation, type WriteOperation } from '../src/index.js'
import { Cluster } from './support/cluster.js'
import { compareAndSet, READ, resolve, set } from './support/operations.js'

const IDS = ['a', 'b', 'c']

const steps = fc.array(
  fc.record({
    what: fc.constantFrom(
      ...['set', 'compare', 'read', 'retry', 'resolve', 'lose', 'hand again', 'restart'],
      ...Array.from({ length: 8 }, () => 'hand'),
      ...Array.from({ length: 4 }, () => 'flush'),
      ...Array.from({ length: 2 }, () => 'pass'),
    ),
    id: fc.constantFrom(...IDS),
    at: fc.nat(40),
  }),
  { maxLength: 150, size: 'max' },
)

/** What was asked, and the highest version that anybody had been told of by then. */
interface Asked {
  readonly operation: Operation
  readonly toldBefore: number
}

test('B2 B4 P5 P6 O3 whatever is lost, late, repeated or restarted, nobody is told what is not so', () => {
  fc.assert(
    fc.property(steps, (run) => {
      const cluster = new Cluster()
      const asked = new Map<number, Asked>()
      const ended = new Map<number, number>()
      const writes: WriteOperation[] = []
      const submit = (id: string, operation: Operation) => {
        const toldBefore = Math.max(0, ...ended.values())
        const token = cluster.submit(id, 'k', operation)
        asked.set(token, { operation, toldBefore })
        if (operation.kind === 'write') writes.push(operation)
      }
      for (const { what, id, at } of run) {
        const packet = cluster.network[at % Math.max(cluster.network.length, 1)]
        const write = writes[at % Math.max(writes.length, 1)]
        if (what === 'set') submit(id, set(`${at}`))
        else if (what === 'compare') submit(id, compareAndSet(Math.max(0, ...ended.values()), `${at}`))
        else if (what === 'read') submit(id, READ)
        else if (what === 'retry' && write !== undefined) submit(id, write)
        else if (what === 'resolve' && write !== undefined) submit(id, resolve(write))
        else if (what === 'flush') cluster.flush(id)
        else if (what === 'pass') cluster.pass(at * 5)
        else if (what === 'restart') cluster.restart(id)
        else if (packet !== undefined) {
          if (what !== 'hand again') cluster.network.splice(cluster.network.indexOf(packet), 1)
          if (what !== 'lose') cluster.hand(packet)
        }
        noteOutcomes(cluster, asked, ended)
      }
      expectOneValuePerBallot(cluster)
      expectAppliedOnce(cluster, asked)
    }),
    // To shrink a run takes minutes; whoever looks into a failure leaves this out and repeats its seed.
    { numRuns: 600, endOnFailure: true },
  )
})

/** Who asks after somebody was told of a version is told of that one or a later one. */
function noteOutcomes(cluster: Cluster, asked: Map<number, Asked>, ended: Map<number, number>): void {
  for (const [token, outcome] of cluster.outcomes) {
    if (ended.has(token) || outcome.kind === 'unknown' || outcome.kind === 'unavailable') continue
    const version = outcome.kind === 'done' ? outcome.version : outcome.current.version
    const { operation, toldBefore } = asked.get(token)!
    // A repeated operation is told its first result, which may be long ago.
    if (outcome.kind !== 'done') expect(version).toBeGreaterThanOrEqual(toldBefore)
    if (
      outcome.kind === 'conflict' &&
      operation.kind === 'write' &&
      operation.condition?.kind === 'version'
    ) {
      expect(version).not.toBe(operation.condition.version)
    }
    ended.set(token, version)
  }
}

function expectOneValuePerBallot(cluster: Cluster): void {
  const values = new Map<string, string>()
  for (const happening of cluster.happened) {
    if (happening.kind !== 'effects') continue
    for (const write of happening.effects.persist) {
      if (write.kind !== 'record') continue
      const ballot = formatBallot(write.record.accepted)
      const value = JSON.stringify(write.record.register)
      expect(values.get(ballot) ?? value).toBe(value)
      values.set(ballot, value)
    }
  }
}

function expectAppliedOnce(cluster: Cluster, asked: Map<number, Asked>): void {
  const results = new Map<string, string>()
  const clients = new Map<number, string>()
  for (const [token, outcome] of cluster.outcomes) {
    const { operation } = asked.get(token)!
    if (operation.kind === 'read' || (outcome.kind !== 'done' && outcome.kind !== 'aborted')) continue
    const { client } = operation.id
    const result = outcome.kind === 'done' ? `done at ${outcome.version}` : 'aborted'
    expect(results.get(client) ?? result).toBe(result)
    results.set(client, result)
    if (outcome.kind !== 'done') continue
    expect(clients.get(outcome.version) ?? client).toBe(client)
    clients.set(outcome.version, client)
  }
}
