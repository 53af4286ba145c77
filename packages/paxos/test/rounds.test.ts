import { expect, test } from 'vitest'
import { type Accept, formatBallot, type PeerMessage, type Prepare } from '../src/index.js'
import { ANY, Cluster, type Packet } from './support/cluster.js'
import { compareAndSet, READ, set } from './support/operations.js'

const sent = <Kind extends PeerMessage['kind']>(cluster: Cluster, from: string, kind: Kind) =>
  cluster.network.filter(
    (packet): packet is Packet & { message: Extract<PeerMessage, { kind: Kind }> } =>
      packet.from === from && packet.message.kind === kind,
  )

/** Lets the first accept of `from` for a new write reach only `to`, which writes it down. */
function acceptOnlyAt(cluster: Cluster, from: string, to: string, data: string): void {
  cluster.submit(from, 'k', set(data))
  cluster.flush(from)
  cluster.deliverAll({ from, to: '*' })
  for (const id of ['a', 'b', 'c']) cluster.flush(id)
  cluster.deliverAll({ from: '*', to: from })
  // Neither its own acceptor nor the third member hears it.
  cluster.crash(from)
  cluster.deliverAll({ from, to })
  cluster.flush(to)
  cluster.take(ANY)
  cluster.restart(from)
}

test('P1 one write round at a time; what comes meanwhile joins the next one together', () => {
  const cluster = new Cluster()
  const first = cluster.submit('a', 'k', set('0'))
  cluster.flush('a')
  cluster.deliver({ from: 'a', to: 'b' })
  cluster.flush('b')
  cluster.deliver({ from: 'b', to: 'a' })
  expect(sent(cluster, 'a', 'accept')).toHaveLength(2)
  const later = ['1', '2', '3'].map((data) => cluster.submit('a', 'k', set(data)))
  expect(sent(cluster, 'a', 'accept')).toHaveLength(2)
  cluster.settle()
  expect(cluster.outcomeOf(first)).toMatchObject({ kind: 'done', version: 1 })
  expect(later.map((token) => cluster.outcomeOf(token))).toMatchObject(
    [2, 3, 4].map((version) => ({ version })),
  )
  const toB = cluster.happened.flatMap((happening) =>
    happening.kind === 'delivered' && happening.packet.to === 'b' ? [happening.packet.message] : [],
  )
  expect(toB.filter((m): m is Accept => m.kind === 'accept').map((m) => m.register.version)).toEqual([1, 4])
})

test('P1 rounds of different keys do not wait for each other', () => {
  const cluster = new Cluster()
  cluster.submit('a', 'k', set('1'))
  cluster.submit('a', 'other', set('1'))
  expect(sent(cluster, 'a', 'prepare').map(({ message }) => message.key)).toEqual([
    'k',
    'k',
    'other',
    'other',
  ])
})

test.each([['b first'], ['c first']])('P2 the highest accepted register goes on, %s', (order) => {
  const cluster = new Cluster()
  // b holds 1 under a lower ballot, c holds 2 under a higher one; neither is decided.
  acceptOnlyAt(cluster, 'a', 'b', 'old')
  acceptOnlyAt(cluster, 'a', 'c', 'new')
  const [old, young] = ['b', 'c'].map((id) => cluster.onDisk(id, 'k')!)
  expect([old?.register.data, young?.register.data]).toEqual(['old', 'new'])
  cluster.submit('a', 'k', compareAndSet(9, 'x'))
  // The own acceptor is silent: the promises of b and c are the quorum.
  for (const to of order === 'b first' ? ['b', 'c'] : ['c', 'b']) {
    cluster.deliver({ from: 'a', to })
    cluster.flush(to)
    cluster.deliver({ from: to, to: 'a' })
  }
  for (let i = 0; i < 5 && sent(cluster, 'a', 'accept').length === 0; i++) {
    cluster.pass(200)
    for (const to of order === 'b first' ? ['b', 'c'] : ['c', 'b']) {
      cluster.deliverAll({ from: 'a', to })
      cluster.flush(to)
      cluster.deliverAll({ from: to, to: 'a' })
    }
  }
  expect(sent(cluster, 'a', 'accept')[0]?.message.register).toEqual(young!.register)
})

test('P3 an answer that comes twice counts once, in both phases', () => {
  const cluster = new Cluster(['a', 'b', 'c', 'd', 'e'])
  const token = cluster.submit('a', 'k', set('1'))
  cluster.flush('a')
  for (const phase of ['promised', 'accepted']) {
    cluster.deliver({ from: 'a', to: 'b' })
    cluster.flush('b')
    const [answer] = cluster.take({ from: 'b', to: 'a' })
    expect(answer?.message.kind).toBe(phase)
    for (let i = 0; i < 3; i++) cluster.hand(answer!)
    expect(sent(cluster, 'a', 'accept').length === 0).toBe(phase === 'promised')
    expect(cluster.outcomes.has(token)).toBe(false)
    if (phase === 'accepted') break
    cluster.deliver({ from: 'a', to: 'c' })
    cluster.flush('c')
    cluster.deliver({ from: 'c', to: 'a' })
    expect(sent(cluster, 'a', 'accept')).toHaveLength(4)
    cluster.flush('a')
  }
  cluster.settle()
  expect(cluster.outcomeOf(token)).toMatchObject({ kind: 'done', version: 1 })
})

test('P3 a refusal that comes twice counts once', () => {
  const cluster = new Cluster(['a', 'b', 'c', 'd', 'e'])
  cluster.submit('a', 'k', set('1'))
  const [{ message }] = sent(cluster, 'a', 'prepare') as [Packet & { message: Prepare }]
  const promised = { counter: 9, proposer: 'b', incarnation: 1 }
  const refusal = { kind: 'refused', key: 'k', ballot: message.ballot, promised } as const
  for (let i = 0; i < 5; i++) cluster.hand({ from: 'b', to: 'a', message: refusal })
  cluster.settle()
  // The round went on, and was decided by the others.
  expect(cluster.onDisk('c', 'k')?.accepted).toEqual(message.ballot)
})

test('P3 refusals of an older round do not count for a later one', () => {
  const cluster = new Cluster()
  const token = cluster.submit('a', 'k', set('1'))
  const [{ message: old }] = sent(cluster, 'a', 'prepare') as [Packet & { message: Prepare }]
  cluster.take(ANY)
  cluster.pass(200)
  const [{ message: now }] = sent(cluster, 'a', 'prepare') as [Packet & { message: Prepare }]
  const promised = { counter: 1, proposer: 'b', incarnation: 1 }
  for (const from of ['b', 'c']) {
    cluster.hand({ from, to: 'a', message: { kind: 'refused', key: 'k', ballot: old.ballot, promised } })
  }
  cluster.settle()
  expect(cluster.outcomeOf(token).kind).toBe('done')
  expect(cluster.onDisk('c', 'k')?.accepted).toEqual(now.ballot)
})

test('P3 promises of an older round do not count for a later one', () => {
  const cluster = new Cluster()
  cluster.submit('a', 'k', set('1'))
  cluster.deliver({ from: 'a', to: 'b' })
  cluster.flush('b')
  cluster.deliver({ from: 'a', to: 'c' })
  cluster.flush('c')
  const late = [...cluster.take({ from: 'b', to: 'a' }), ...cluster.take({ from: 'c', to: 'a' })]
  expect(late.map(({ message }) => message.kind)).toEqual(['promised', 'promised'])
  cluster.pass(200)
  for (const packet of late) cluster.hand(packet)
  expect(sent(cluster, 'a', 'accept')).toEqual([])
})

test('P3 an acceptance of an older round does not count for a later one', () => {
  const cluster = new Cluster()
  const token = cluster.submit('a', 'k', set('1'))
  const answer = (...ids: string[]) => {
    for (const id of ids) {
      cluster.deliverAll({ from: 'a', to: id })
      cluster.flush(id)
    }
  }
  answer('b', 'c')
  cluster.deliverAll({ from: '*', to: 'a' })
  cluster.take({ from: 'a', to: 'b' })
  answer('c')
  const late = cluster.take({ from: 'c', to: 'a' })
  expect(late.map(({ message }) => message.kind)).toEqual(['accepted'])
  cluster.pass(200)
  answer('b', 'c')
  cluster.deliverAll({ from: '*', to: 'a' })
  expect(sent(cluster, 'a', 'accept')).toHaveLength(2)
  answer('b')
  for (const packet of late) cluster.hand(packet)
  cluster.deliverAll({ from: 'b', to: 'a' })
  expect(cluster.outcomes.has(token)).toBe(false)
  cluster.settle()
  expect(cluster.outcomeOf(token)).toMatchObject({ kind: 'done', version: 1 })
})

test('P4 the next write needs no prepare', () => {
  const cluster = new Cluster()
  cluster.decide('a', 'k', set('1'))
  const promised = cluster.onDisk('b', 'k')!.promised
  cluster.submit('a', 'k', set('2'))
  expect(sent(cluster, 'a', 'prepare')).toEqual([])
  expect(sent(cluster, 'a', 'accept').map(({ message }) => message.ballot)).toEqual([promised, promised])
})

test('P4 a cached promise is used once, whatever comes of it', () => {
  const cluster = new Cluster()
  cluster.decide('a', 'k', set('1'))
  const lost = cluster.submit('a', 'k', set('2'))
  const [{ message: first }] = sent(cluster, 'a', 'accept') as [Packet & { message: Accept }]
  cluster.take(ANY)
  cluster.step('a', (member) => member.cancel(cluster.nowMs, 'k', lost))
  cluster.pass(200)
  expect(cluster.outcomeOf(lost)).toEqual({ kind: 'unknown' })
  // With the ballot of the lost accept it would give one ballot two registers.
  cluster.submit('a', 'k', set('3'))
  expect(sent(cluster, 'a', 'accept')).toEqual([])
  expect(formatBallot(sent(cluster, 'a', 'prepare')[0]!.message.ballot)).not.toBe(formatBallot(first.ballot))
})

test('P4 a cached promise that another proposer overtook is refused, and prepared anew', () => {
  const cluster = new Cluster()
  cluster.decide('a', 'k', set('1'))
  cluster.decide('b', 'k', set('2'))
  const token = cluster.submit('a', 'k', set('3'))
  cluster.until(() => cluster.outcomes.has(token))
  expect(cluster.outcomeOf(token)).toMatchObject({ kind: 'done', version: 3 })
})

test('P5 a write is not done before a quorum accepted it', () => {
  const cluster = new Cluster()
  const token = cluster.submit('a', 'k', set('1'))
  cluster.flush('a')
  cluster.deliver({ from: 'a', to: 'b' })
  cluster.flush('b')
  cluster.deliver({ from: 'b', to: 'a' })
  cluster.flush('a')
  expect(cluster.onDisk('a', 'k')?.register.version).toBe(1)
  expect(cluster.outcomes.has(token)).toBe(false)
  cluster.settle()
  expect(cluster.outcomeOf(token)).toEqual({ kind: 'done', version: 1, fence: 1 })
})

test('P5 a conflict with what only a minority accepted is told when a quorum has accepted it', () => {
  const cluster = new Cluster()
  acceptOnlyAt(cluster, 'a', 'b', 'minority')
  cluster.hearOf('b', 9)
  const token = cluster.submit('b', 'k', compareAndSet(0, 'x'))
  cluster.flush('b')
  cluster.deliverAll({ from: 'b', to: 'c' })
  cluster.flush('c')
  cluster.deliverAll({ from: 'c', to: 'b' })
  expect(cluster.outcomes.has(token)).toBe(false)
  expect(sent(cluster, 'b', 'accept')).toHaveLength(2)
  cluster.settle()
  expect(cluster.outcomeOf(token)).toMatchObject({
    kind: 'conflict',
    current: { value: 'minority', version: 1 },
  })
  expect(cluster.read('c', 'k')).toMatchObject({ current: { value: 'minority' } })
})

test('P5 a conflict with what the promises show to be decided costs no accept', () => {
  const cluster = new Cluster()
  cluster.decide('a', 'k', set('1'))
  cluster.hearOf('b', 9)
  const token = cluster.submit('b', 'k', compareAndSet(0, 'x'))
  cluster.settle()
  expect(cluster.outcomeOf(token).kind).toBe('conflict')
  const kinds = cluster.happened.flatMap((happening) =>
    happening.kind === 'delivered' && happening.packet.from === 'b' ? [happening.packet.message.kind] : [],
  )
  expect(kinds).toContain('prepare')
  expect(kinds).not.toContain('accept')
})

/** A promise of b is on the way to a, and before it arrives c decides another value. */
function overtaken(): { readonly cluster: Cluster; readonly late: readonly Packet[] } {
  const cluster = new Cluster()
  cluster.decide('b', 'k', set('old'))
  cluster.hearOf('a', 9)
  cluster.hearOf('c', 20)
  cluster.submit('a', 'k', compareAndSet(9, 'never'))
  cluster.deliverAll({ from: 'a', to: 'b' })
  cluster.flush('b')
  const late = cluster.take({ from: 'b', to: 'a' })
  expect(late.map(({ message }) => message.kind)).toEqual(['promised'])
  const other = cluster.submit('c', 'k', set('new'))
  cluster.settle('a')
  expect(cluster.outcomeOf(other)).toMatchObject({ kind: 'done', version: 2 })
  return { cluster, late }
}

test('P5 promises from before an operation began do not tell it that what they show is still decided', () => {
  const { cluster, late } = overtaken()
  const token = cluster.submit('a', 'k', compareAndSet(2, 'newer'))
  cluster.flush('a')
  for (const packet of late) cluster.hand(packet)
  // Version 2 was decided before it began, so version 1 is no answer.
  expect(cluster.outcomes.get(token)).toBeUndefined()
  cluster.until(() => cluster.outcomes.has(token))
  expect(cluster.outcomeOf(token)).toMatchObject({ kind: 'done', version: 3 })
})

test('P6 promises from before a read began do not tell it that what they show is still decided', () => {
  const { cluster, late } = overtaken()
  const token = cluster.submit('a', 'k', READ)
  // Of the two that answer it one has the old value, so it joins the round that is under way.
  cluster.flush('a')
  cluster.deliverAll({ from: 'a', to: 'c' })
  cluster.deliverAll({ from: 'c', to: 'a' })
  cluster.pass(5)
  for (const packet of late) cluster.hand(packet)
  expect(cluster.outcomes.get(token)).toBeUndefined()
  cluster.until(() => cluster.outcomes.has(token))
  expect(cluster.outcomeOf(token)).toMatchObject({ kind: 'value', current: { value: 'new', version: 2 } })
})
