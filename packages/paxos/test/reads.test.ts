import { expect, test } from 'vitest'
import { Cluster } from './support/cluster.js'
import { READ, set } from './support/operations.js'

const kindsOf = (cluster: Cluster, from: string) =>
  cluster.happened.flatMap((happening) =>
    happening.kind === 'effects' && happening.id === from
      ? happening.effects.send.map(({ message }) => message.kind)
      : [],
  )

/** A register that only b has accepted. */
function minority(): Cluster {
  const cluster = new Cluster()
  cluster.submit('a', 'k', set('1'))
  cluster.until(() => cluster.network.some(({ message }) => message.kind === 'accept'))
  cluster.take({ from: 'a', to: 'c' })
  cluster.crash('a')
  cluster.settle()
  cluster.restart('a')
  expect(cluster.onDisk('b', 'k')?.register.version).toBe(1)
  cluster.happened.splice(0)
  return cluster
}

test('P6 a read that a quorum agrees on costs one round and no flush', () => {
  const cluster = new Cluster()
  cluster.decide('a', 'k', set('1'))
  cluster.happened.splice(0)
  expect(cluster.read('b', 'k')).toEqual({ kind: 'value', current: { value: '1', version: 1, fence: 1 } })
  expect(kindsOf(cluster, 'b')).toEqual(['read', 'read'])
  const writes = cluster.happened.flatMap((happening) =>
    happening.kind === 'effects' ? happening.effects.persist : [],
  )
  expect(writes).toEqual([])
})

test('P6 a key that nobody wrote is read so, too', () => {
  const cluster = new Cluster()
  expect(cluster.read('b', 'k')).toEqual({
    kind: 'value',
    current: { value: undefined, version: 0, fence: 0 },
  })
  expect(kindsOf(cluster, 'b')).toEqual(['read', 'read'])
})

test('P6 a value that only a minority has is written to a quorum before it is told', () => {
  const cluster = minority()
  const token = cluster.submit('b', 'k', READ)
  cluster.until(() => cluster.outcomes.has(token), 'a')
  expect(cluster.outcomeOf(token)).toMatchObject({ current: { value: '1', version: 1 } })
  expect(kindsOf(cluster, 'b')).toContain('accept')
  expect(cluster.onDisk('c', 'k')?.register.version).toBe(1)
  cluster.crash('b')
  expect(cluster.read('c', 'k')).toMatchObject({ current: { value: '1', version: 1 } })
})

test('P6 two that answer differently do not agree, though each has something', () => {
  const cluster = minority()
  const token = cluster.submit('c', 'k', READ)
  cluster.deliverAll({ from: 'c', to: 'b' })
  cluster.deliverAll({ from: 'b', to: 'c' })
  expect(cluster.outcomes.has(token)).toBe(false)
  cluster.until(() => cluster.outcomes.has(token))
})

test('P6 a member that answers twice is no quorum', () => {
  const cluster = new Cluster(['a', 'b', 'c', 'd', 'e'])
  const token = cluster.submit('a', 'k', READ)
  cluster.deliver({ from: 'a', to: 'b' })
  const [answer] = cluster.take({ from: 'b', to: 'a' })
  for (let i = 0; i < 3; i++) cluster.hand(answer!)
  expect(cluster.outcomes.has(token)).toBe(false)
})

test('P6 a read that begins while one is under way waits for the next, which asks anew', () => {
  const cluster = new Cluster()
  const first = cluster.submit('a', 'k', READ)
  cluster.deliverAll({ from: 'a', to: 'b' })
  const early = cluster.take({ from: 'b', to: 'a' })
  cluster.take({ from: 'a', to: 'c' })
  const write = cluster.submit('b', 'k', set('1'))
  cluster.until(() => cluster.outcomes.has(write), 'a')
  const second = cluster.submit('a', 'k', READ)
  for (const packet of early) cluster.hand(packet)
  // The early answer is from before the write: right for the first read, too old for the second.
  expect(cluster.outcomeOf(first)).toMatchObject({ current: { version: 0 } })
  expect(cluster.outcomes.has(second)).toBe(false)
  for (const packet of early) cluster.hand(packet)
  expect(cluster.outcomes.has(second)).toBe(false)
  cluster.settle()
  expect(cluster.outcomeOf(second)).toMatchObject({ current: { value: '1', version: 1 } })
})

test('P6 an answer that leaves out what the reader has is taken as that', () => {
  const cluster = new Cluster()
  cluster.decide('a', 'k', set('1'))
  cluster.submit('b', 'k', READ)
  cluster.deliverAll({ from: 'b', to: 'c' })
  expect(cluster.network.find(({ from }) => from === 'c')?.message).toMatchObject({ register: undefined })
  cluster.settle()
  expect(cluster.outcomes.get(1)).toMatchObject({ current: { value: '1' } })
})
