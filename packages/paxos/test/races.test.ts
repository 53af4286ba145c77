import { expect, test } from 'vitest'
import { Cluster } from './support/cluster.js'
import { compareAndSet, set } from './support/operations.js'

test('P11 a version that did not match yet is refused with an entry of another version', () => {
  const cluster = new Cluster()
  cluster.decide('a', 'k', set('1'))
  // While it is decided these wait, and share the next round.
  const before = cluster.submit('a', 'k', set('2'))
  const early = [1, 2, 3, 4].map(() => cluster.submit('a', 'k', compareAndSet(3, 'early')))
  const after = cluster.submit('a', 'k', set('3'))
  cluster.settle()
  expect(cluster.outcomeOf(before)).toMatchObject({ kind: 'done', version: 2 })
  expect(cluster.outcomeOf(after)).toMatchObject({ kind: 'done', version: 3 })
  for (const token of early) {
    expect(cluster.outcomeOf(token)).toMatchObject({ kind: 'conflict', current: { version: 2 } })
  }
})

test('P11 who lost the race for a version is told, also where nothing else is to be decided', () => {
  const cluster = new Cluster()
  cluster.decide('a', 'k', set('1'))
  const all = [...Array(20).keys()].map((i) => cluster.submit('a', 'k', compareAndSet(1, `${i}`)))
  cluster.settle()
  for (let i = 0; i < 40; i++) {
    cluster.pass(5)
    cluster.settle()
  }
  const kinds = all.map((token) => cluster.outcomeOf(token).kind)
  expect(kinds.filter((kind) => kind === 'done')).toHaveLength(1)
  expect(kinds.filter((kind) => kind === 'conflict')).toHaveLength(19)
  expect(cluster.member('a').deadlineMs).toBe(Number.POSITIVE_INFINITY)
})
