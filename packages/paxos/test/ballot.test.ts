import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Ballot,
  compareBallots,
  formatBallot,
  maxBallot,
  type Register,
  ZERO_BALLOT,
} from '../src/index.js'
import { Cluster } from './support/cluster.js'
import { set } from './support/operations.js'

const ballots = fc.record({
  counter: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
  proposer: fc.constantFrom('a', 'b', 'aa'),
  incarnation: fc.integer({ min: 1, max: 12 }),
})

/** Every ballot that a member asked anything under, in the order of its first use. */
function attemptsOf(cluster: Cluster, id: string): Ballot[] {
  const seen = new Map<string, Ballot>()
  for (const happening of cluster.happened) {
    if (happening.kind !== 'effects' || happening.id !== id) continue
    for (const { message } of happening.effects.send) {
      if (message.kind === 'prepare') seen.set(formatBallot(message.ballot), message.ballot)
      if (message.kind !== 'accept') continue
      seen.set(formatBallot(message.ballot), message.ballot)
      seen.set(formatBallot(message.next), message.next)
    }
  }
  return [...seen.values()]
}

function expectRising(attempts: readonly Ballot[]): void {
  for (let i = 1; i < attempts.length; i++) {
    expect(compareBallots(attempts[i]!, attempts[i - 1]!)).toBeGreaterThan(0)
  }
}

test('B1 the counter weighs most, then the proposer, then the incarnation, numbers as numbers', () => {
  fc.assert(
    fc.property(ballots, ballots, (a, b) => {
      const order =
        a.counter - b.counter ||
        (a.proposer === b.proposer ? 0 : a.proposer < b.proposer ? -1 : 1) ||
        a.incarnation - b.incarnation
      expect(Math.sign(compareBallots(a, b))).toBe(Math.sign(order))
      expect(compareBallots(maxBallot(a, b), a)).toBeGreaterThanOrEqual(0)
      expect(compareBallots(maxBallot(a, b), b)).toBeGreaterThanOrEqual(0)
      expect(compareBallots(ZERO_BALLOT, a)).toBeLessThan(0)
    }),
  )
  const tenth: Ballot = { counter: 10, proposer: 'a', incarnation: 9 }
  expect(compareBallots(tenth, { ...tenth, counter: 9 })).toBeGreaterThan(0)
  expect(compareBallots(tenth, { ...tenth, incarnation: 10 })).toBeLessThan(0)
})

test('B2 an attempt after a timeout has a higher ballot of its own', () => {
  const cluster = new Cluster()
  cluster.submit('a', 'k', set('1'))
  for (let i = 0; i < 5; i++) cluster.pass(5_000 / 2)
  const attempts = attemptsOf(cluster, 'a')
  expect(attempts.length).toBeGreaterThan(3)
  expectRising(attempts)
})

test('B2 a cached promise whose accept timed out is not proposed under again', () => {
  const cluster = new Cluster()
  cluster.decide('a', 'k', set('1'))
  cluster.submit('a', 'k', set('2'))
  cluster.submit('a', 'k', set('3'))
  const values = new Map<string, Register>()
  for (let i = 0; i < 5; i++) {
    for (const { message } of cluster.take({ from: 'a', to: 'b' })) {
      if (message.kind !== 'accept') continue
      const ballot = formatBallot(message.ballot)
      expect(values.get(ballot) ?? message.register).toEqual(message.register)
      values.set(ballot, message.register)
    }
    // Only c hears the attempts after the first: it answers what it may.
    cluster.settle('b')
    cluster.crash('c')
    cluster.pass(1_000)
    cluster.restart('c')
  }
  expectRising(attemptsOf(cluster, 'a'))
})

test('B2 an attempt after a refusal is higher than what it was refused for', () => {
  const cluster = new Cluster()
  for (let i = 0; i < 10; i++) cluster.decide('b', 'k', set(String(i)))
  const { promised } = cluster.onDisk('b', 'k')!
  const token = cluster.submit('a', 'k', set('a'))
  cluster.until(() => cluster.outcomes.has(token))
  expect(cluster.outcomeOf(token)).toMatchObject({ kind: 'done', version: 11 })
  expectRising(attemptsOf(cluster, 'a'))
  expect(compareBallots(attemptsOf(cluster, 'a').at(-1)!, promised)).toBeGreaterThan(0)
})

test('B3 hearing of a lower ballot does not lower the counter', () => {
  const cluster = new Cluster()
  const refusedBy = (from: string, ballot: Ballot, counter: number) =>
    cluster.hand({
      from,
      to: 'a',
      message: {
        kind: 'refused',
        key: 'k',
        ballot,
        promised: { counter, proposer: from, incarnation: 1 },
      },
    })
  cluster.submit('a', 'k', set('1'))
  refusedBy('b', attemptsOf(cluster, 'a').at(-1)!, 50)
  refusedBy('c', attemptsOf(cluster, 'a').at(-1)!, 3)
  cluster.pass(1_000)
  expect(attemptsOf(cluster, 'a').at(-1)!.counter).toBe(51)
  refusedBy('c', { counter: 1, proposer: 'a', incarnation: 1 }, 3)
  cluster.pass(1_000)
  expect(attemptsOf(cluster, 'a').at(-1)!.counter).toBe(52)
  expectRising(attemptsOf(cluster, 'a'))
})

test('B4 two lives of a member never ask under one ballot', () => {
  const cluster = new Cluster()
  cluster.submit('a', 'k', set('1'))
  const first = attemptsOf(cluster, 'a')
  cluster.crash('a')
  cluster.restart('a')
  cluster.submit('a', 'k', set('2'))
  const second = attemptsOf(cluster, 'a').slice(first.length)
  // The counter begins anew, and only the incarnation tells the two apart.
  expect(second.map(({ counter }) => counter)).toEqual(first.map(({ counter }) => counter))
  expectRising([...first, ...second])
})
