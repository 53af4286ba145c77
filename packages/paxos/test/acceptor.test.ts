import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  Acceptor,
  type AcceptorEffects,
  type Ballot,
  compareBallots,
  EMPTY_REGISTER,
  maxBallot,
  type Register,
  type Reply,
  type Request,
  ZERO_BALLOT,
} from '../src/index.js'
import { configurationOf } from './support/cluster.js'
import { Disk } from './support/disk.js'

const CONFIGURATION = configurationOf(['a', 'b', 'c'], 5)
const ballot = (counter: number, proposer = 'p'): Ballot => ({ counter, proposer, incarnation: 1 })
const holding = (version: number): Register => ({
  ...EMPTY_REGISTER,
  version,
  fence: version,
  data: `v${version}`,
})
const prepare = (number: Ballot, key = 'k', epoch = 5): Request => ({
  kind: 'prepare',
  epoch,
  key,
  ballot: number,
})
const accept = (number: Ballot, next: Ballot, version = 1, key = 'k'): Request => ({
  kind: 'accept',
  epoch: 5,
  key,
  ballot: number,
  register: holding(version),
  next,
})
const read = (round: number, known: Ballot = ZERO_BALLOT): Request => ({
  kind: 'read',
  epoch: 5,
  key: 'k',
  round: ballot(round),
  known,
})

/** An acceptor on a disk that is flushed after each request, unless the test does it. */
class Host {
  readonly disk = new Disk(CONFIGURATION)
  acceptor = new Acceptor(CONFIGURATION, this.disk)

  ask(request: Request): readonly Reply[] {
    return [...this.take(this.acceptor.receive('p', request)), ...this.flush()]
  }

  /** Without a flush. */
  take({ persist, replies }: AcceptorEffects): readonly Reply[] {
    this.disk.write(persist)
    return replies.map(({ reply }) => reply)
  }

  flush(): readonly Reply[] {
    const number = this.disk.flush()
    return number === undefined ? [] : this.take(this.acceptor.persisted(number))
  }

  restart(): void {
    this.disk.crash()
    this.acceptor = new Acceptor(this.disk.configuration, this.disk)
  }
}

const small = fc.record({
  counter: fc.integer({ min: 1, max: 5 }),
  proposer: fc.constantFrom('p', 'q'),
  incarnation: fc.constant(1),
})
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('prepare' as const, 'accept' as const), ballot: small }),
    fc.record({ kind: fc.constantFrom('flush' as const, 'restart' as const), ballot: small }),
  ),
  { maxLength: 40 },
)

test('C1 C2 C3 C4 C5 what it answers, and that promised and accepted never fall, also across restarts', () => {
  fc.assert(
    fc.property(steps, (run) => {
      const host = new Host()
      for (const { kind, ballot: number } of run) {
        if (kind === 'flush') host.flush()
        if (kind === 'restart') host.restart()
        if (kind !== 'prepare' && kind !== 'accept') continue
        const durable = host.acceptor.record('k')
        const next = { ...number, counter: number.counter + 1 }
        const replies = host.ask(kind === 'prepare' ? prepare(number) : accept(number, next, number.counter))
        const { promised, accepted, register } = host.disk.get('k') ?? durable
        expect(compareBallots(promised, durable.promised)).toBeGreaterThanOrEqual(0)
        expect(compareBallots(accepted, durable.accepted)).toBeGreaterThanOrEqual(0)
        const highest = maxBallot(durable.promised, durable.accepted)
        const isAgain = kind === 'accept' && compareBallots(number, durable.accepted) === 0
        const isAbove =
          kind === 'prepare'
            ? compareBallots(number, highest) > 0
            : compareBallots(number, durable.promised) >= 0 && compareBallots(number, durable.accepted) > 0
        if (isAgain) {
          expect(replies).toEqual([{ kind: 'accepted', key: 'k', ballot: number }])
          expect({ promised, accepted, register }).toEqual(durable)
        } else if (!isAbove) {
          expect(replies).toEqual([{ kind: 'refused', key: 'k', ballot: number, promised: highest }])
          expect({ promised, accepted, register }).toEqual(durable)
        } else if (kind === 'prepare') {
          const { accepted: before, register: had } = durable
          expect(replies).toEqual([
            { kind: 'promised', key: 'k', ballot: number, accepted: before, register: had },
          ])
          expect({ promised, accepted, register }).toEqual({ ...durable, promised: number })
        } else {
          expect(replies).toEqual([{ kind: 'accepted', key: 'k', ballot: number }])
          expect({ promised, accepted, register }).toEqual({
            promised: next,
            accepted: number,
            register: holding(number.counter),
          })
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('C2 a promise needs a ballot above what is promised and above what is accepted, not the same', () => {
  const host = new Host()
  expect(host.ask(prepare(ballot(2)))).toMatchObject([{ kind: 'promised', accepted: ZERO_BALLOT }])
  expect(host.ask(prepare(ballot(2)))).toMatchObject([{ kind: 'refused', promised: ballot(2) }])
  host.ask(accept(ballot(4), ballot(4)))
  expect(host.ask(prepare(ballot(4)))).toMatchObject([{ kind: 'refused', promised: ballot(4) }])
  expect(host.ask(prepare(ballot(5)))).toMatchObject([
    { kind: 'promised', accepted: ballot(4), register: holding(1) },
  ])
})

test('C3 an accept raises the promise, and on to the next ballot', () => {
  const host = new Host()
  host.ask(accept(ballot(3), ballot(6)))
  expect(host.disk.get('k')).toEqual({ promised: ballot(6), accepted: ballot(3), register: holding(1) })
  expect(host.ask(accept(ballot(5), ballot(7), 2))).toMatchObject([{ kind: 'refused', promised: ballot(6) }])
  expect(host.ask(accept(ballot(6), ballot(7), 2))).toMatchObject([{ kind: 'accepted', ballot: ballot(6) }])
})

test('C1 C3 a next ballot that is lower than the one accepted lowers nothing', () => {
  const host = new Host()
  host.ask(accept(ballot(3), ballot(1)))
  expect(host.disk.get('k')?.promised).toEqual(ballot(3))
})

test('C4 what was accepted is acknowledged again, also after a higher promise', () => {
  const host = new Host()
  host.ask(accept(ballot(1), ballot(2)))
  host.ask(prepare(ballot(9)))
  expect(host.ask(accept(ballot(1), ballot(2)))).toEqual([{ kind: 'accepted', key: 'k', ballot: ballot(1) }])
})

test('C6 nothing is answered before it is on disk, and what leaned on it waits as well', () => {
  const host = new Host()
  expect(host.take(host.acceptor.receive('p', prepare(ballot(1))))).toEqual([])
  expect(host.take(host.acceptor.receive('p', read(1)))).toEqual([])
  expect(host.take(host.acceptor.receive('q', prepare(ballot(1))))).toEqual([])
  expect(host.take(host.acceptor.receive('p', accept(ballot(1), ballot(2))))).toEqual([])
  expect(host.take(host.acceptor.receive('p', accept(ballot(1), ballot(2))))).toEqual([])
  expect(host.flush().map(({ kind }) => kind)).toEqual([
    'promised',
    'current',
    'refused',
    'accepted',
    'accepted',
  ])
})

test('C6 a flush of a part gives out the answers of that part', () => {
  const host = new Host()
  host.take(host.acceptor.receive('p', prepare(ballot(1))))
  host.take(host.acceptor.receive('p', prepare(ballot(2), 'other')))
  expect(host.take(host.acceptor.persisted(1))).toMatchObject([{ kind: 'promised', key: 'k' }])
  expect(host.take(host.acceptor.persisted(2))).toMatchObject([{ kind: 'promised', key: 'other' }])
  expect(host.take(host.acceptor.persisted(2))).toEqual([])
})

test('C6 what was not flushed is not there after a crash, and was not answered', () => {
  const host = new Host()
  expect(host.take(host.acceptor.receive('p', accept(ballot(3), ballot(4))))).toEqual([])
  host.restart()
  expect(host.ask(prepare(ballot(1)))).toMatchObject([{ kind: 'promised', accepted: ZERO_BALLOT }])
})

test('C6 a list waits for the keys that are being written', () => {
  const host = new Host()
  host.take(host.acceptor.receive('p', prepare(ballot(1))))
  expect(host.take(host.acceptor.receive('p', { kind: 'list', epoch: 5, after: '' }))).toEqual([])
  expect(host.flush()).toMatchObject([{ kind: 'promised' }, { kind: 'listed', keys: ['k'], isLast: true }])
})

test('C6 a configuration is on disk before it is acknowledged, or told of', () => {
  const host = new Host()
  const configuration = { ...CONFIGURATION, epoch: 6 }
  expect(host.take(host.acceptor.receive('p', { kind: 'install', configuration }))).toEqual([])
  expect(host.take(host.acceptor.receive('p', { kind: 'install', configuration }))).toEqual([])
  expect(host.take(host.acceptor.receive('p', prepare(ballot(1))))).toEqual([])
  expect(host.flush().map(({ kind }) => kind)).toEqual(['installed', 'installed', 'other-epoch'])
})

test('C7 a read tells what was accepted, not what was promised, and writes nothing', () => {
  const host = new Host()
  host.ask(accept(ballot(1), ballot(2)))
  host.ask(prepare(ballot(7)))
  const { persist, replies } = host.acceptor.receive('p', read(3))
  expect(persist).toEqual([])
  expect(replies).toEqual([
    {
      to: 'p',
      reply: { kind: 'current', key: 'k', round: ballot(3), accepted: ballot(1), register: holding(1) },
    },
  ])
  expect(host.ask(read(4, ballot(1)))).toMatchObject([{ accepted: ballot(1), register: undefined }])
})

test('C8 requests of another epoch do nothing', () => {
  for (const epoch of [4, 6]) {
    const host = new Host()
    const requests = [prepare(ballot(1)), accept(ballot(1), ballot(2)), read(1)] as Request[]
    for (const request of [...requests, { kind: 'list', epoch, after: '' } as Request]) {
      const asked = { ...request, epoch } as Request
      expect(host.ask(asked)).toEqual([{ kind: 'other-epoch', configuration: CONFIGURATION }])
    }
    expect(host.disk.records.size).toBe(0)
  }
})

test('C8 a lower epoch is not installed', () => {
  const host = new Host()
  const configuration = { ...CONFIGURATION, epoch: 4 }
  expect(host.ask({ kind: 'install', configuration })).toMatchObject([{ kind: 'other-epoch' }])
  expect(host.disk.configuration).toEqual(CONFIGURATION)
})
