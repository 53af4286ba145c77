import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ANY, Cluster } from './support/cluster.js'
import { READ, set } from './support/operations.js'

const watch = (cluster: Cluster, id: string) => cluster.step(id, (member) => member.watch(cluster.nowMs, 'k'))
const told = (cluster: Cluster, id: string) =>
  cluster.learned.filter((news) => news.id === id).map(({ entry }) => entry.version)

test('W1 a watcher is told what is there, and each decision after it', () => {
  const cluster = new Cluster()
  cluster.decide('a', 'k', set('1'))
  watch(cluster, 'b')
  cluster.settle()
  expect(told(cluster, 'b')).toEqual([1])
  cluster.decide('a', 'k', set('2'))
  cluster.decide('c', 'k', set('3'))
  expect(told(cluster, 'b')).toEqual([1, 2, 3])
  expect(cluster.learned.at(-1)).toEqual({ id: 'b', key: 'k', entry: { value: '3', version: 3, fence: 3 } })
})

test('W1 what is accepted but not decided is not told', () => {
  const cluster = new Cluster()
  watch(cluster, 'b')
  cluster.settle()
  cluster.submit('a', 'k', set('1'))
  cluster.until(() => cluster.network.some(({ message }) => message.kind === 'accept'))
  cluster.deliverAll({ from: 'a', to: 'b' })
  cluster.flush('b')
  expect(cluster.onDisk('b', 'k')?.register.version).toBe(1)
  // A commit of another ballot says nothing of this one.
  const ballot = { counter: 1, proposer: 'Z', incarnation: 1 }
  cluster.hand({ from: 'c', to: 'b', message: { kind: 'commit', key: 'k', ballot } })
  expect(told(cluster, 'b')).toEqual([0])
  cluster.settle()
  expect(told(cluster, 'b')).toEqual([0, 1])
})

test('W1 a commit of a ballot that it did not accept makes it read', () => {
  const cluster = new Cluster()
  watch(cluster, 'b')
  cluster.settle()
  cluster.submit('a', 'k', set('1'))
  cluster.settle('b')
  expect(told(cluster, 'b')).toEqual([0])
  const { accepted: ballot } = cluster.onDisk('c', 'k')!
  cluster.hand({ from: 'a', to: 'b', message: { kind: 'commit', key: 'k', ballot } })
  expect(told(cluster, 'b')).toEqual([0])
  cluster.until(() => told(cluster, 'b').includes(1))
  expect(cluster.nowMs).toBe(0)
})

test('W1 what is not watched, or not any more, is not told', () => {
  const cluster = new Cluster()
  watch(cluster, 'b')
  cluster.settle()
  cluster.decide('a', 'other', set('1'))
  cluster.member('b').unwatch('k')
  cluster.decide('a', 'k', set('1'))
  expect(told(cluster, 'b')).toEqual([0])
})

test('W2 a commit that comes late, or again, is not told', () => {
  const cluster = new Cluster()
  watch(cluster, 'b')
  cluster.decide('a', 'k', set('1'))
  const { accepted: ballot } = cluster.onDisk('b', 'k')!
  cluster.decide('a', 'k', set('2'))
  for (let i = 0; i < 2; i++)
    cluster.hand({ from: 'a', to: 'b', message: { kind: 'commit', key: 'k', ballot } })
  cluster.step('b', (member) =>
    member.submit(cluster.nowMs, { token: 99, key: 'k', operation: READ, deadlineMs: 1e6 }),
  )
  cluster.settle()
  expect(told(cluster, 'b')).toEqual([0, 1, 2])
})

test('W2 who watches again is told the newest again, and nothing older', () => {
  const cluster = new Cluster()
  cluster.decide('a', 'k', set('1'))
  watch(cluster, 'b')
  for (const packet of cluster.take({ from: 'b', to: 'c' })) cluster.hand(packet)
  const late = cluster.take({ from: 'c', to: 'b' })
  cluster.take(ANY)
  const token = cluster.submit('a', 'k', set('2'))
  cluster.until(() => cluster.outcomes.has(token) && cluster.network.length === 0)
  watch(cluster, 'b')
  for (const packet of late) cluster.hand(packet)
  cluster.settle()
  expect(told(cluster, 'b')).toEqual([2, 2])
})

test('W2 an answer to an older read is not told after a newer decision', () => {
  const cluster = new Cluster()
  cluster.decide('a', 'k', set('1'))
  watch(cluster, 'b')
  const asked = cluster.take({ from: 'b', to: 'c' })
  for (const packet of asked) cluster.hand(packet)
  const late = cluster.take({ from: 'c', to: 'b' })
  cluster.take(ANY)
  const token = cluster.submit('a', 'k', set('2'))
  cluster.until(() => cluster.outcomes.has(token) && cluster.network.length === 0)
  expect(told(cluster, 'b')).toEqual([2])
  for (const packet of late) cluster.hand(packet)
  cluster.settle()
  expect(told(cluster, 'b')).toEqual([2])
})

test('W2 versions rise for every watcher, whatever is lost, late or repeated', () => {
  const step = fc.record({
    what: fc.constantFrom('write', 'hand', 'hand', 'hand', 'hand again', 'lose', 'pass', 'flush', 'flush'),
    at: fc.nat(30),
    member: fc.constantFrom('a', 'b', 'c'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (run) => {
      const cluster = new Cluster()
      for (const id of ['a', 'b', 'c']) watch(cluster, id)
      for (const { what, at, member } of run) {
        const packet = cluster.network[at % Math.max(cluster.network.length, 1)]
        if (what === 'write') cluster.submit(member, 'k', set('x'))
        else if (what === 'flush') cluster.flush(member)
        else if (what === 'pass') cluster.pass(at * 10)
        else if (packet !== undefined) {
          if (what !== 'hand again') cluster.network.splice(cluster.network.indexOf(packet), 1)
          if (what !== 'lose') cluster.hand(packet)
        }
      }
      for (const id of ['a', 'b', 'c']) {
        const versions = told(cluster, id)
        expect(versions).toEqual([...new Set(versions)].sort((x, y) => x - y))
      }
    }),
    { numRuns: 300 },
  )
})

test('W3 the death of who decided hides nothing: the key is read every two seconds', () => {
  const cluster = new Cluster()
  watch(cluster, 'b')
  cluster.settle()
  cluster.submit('a', 'k', set('1'))
  cluster.until(() => cluster.network.some(({ message }) => message.kind === 'accept'))
  for (const to of ['b', 'c']) {
    cluster.deliverAll({ from: 'a', to })
    cluster.flush(to)
  }
  cluster.crash('a')
  cluster.take(ANY)
  expect(told(cluster, 'b')).toEqual([0])
  cluster.pass(1_999)
  expect(cluster.network).toEqual([])
  cluster.until(() => told(cluster, 'b').includes(1))
  expect(cluster.nowMs).toBeLessThan(2_100)
})
