import { expect, test } from 'vitest'
import { EMPTY_REGISTER, PAXOS_LIMITS, type PeerMessage, Proposer, type Register } from '../src/index.js'

const configuration = {
  epoch: 1,
  members: ['a', 'b', 'c'].map((id) => ({ id, store: id })),
}

test('P10 an operation whose accept was sent is never told to be forgotten', () => {
  const proposer = new Proposer({
    id: 'a',
    incarnation: 1,
    configuration,
    known: () => ({ accepted: { counter: 0, proposer: '', incarnation: 0 }, register: EMPTY_REGISTER }),
  })
  const operation = {
    kind: 'write',
    id: { client: 'x', sequence: 1 },
    since: 0,
    settled: 0,
    condition: undefined,
    data: '1',
    keepsFence: false,
  } as const
  const asked = (messages: readonly { readonly message: PeerMessage }[], kind: string) =>
    messages.map(({ message }) => message).find((message) => message.kind === kind)
  const promise = (nowMs: number, from: string, request: PeerMessage | undefined, register: Register) => {
    if (request?.kind !== 'prepare') throw new Error('no prepare')
    const { ballot, key } = request
    const accepted = { ...ballot, counter: ballot.counter - 1 }
    return proposer.receive(nowMs, from, { kind: 'promised', key, ballot, accepted, register })
  }

  const first = proposer.submit(0, { token: 1, key: 'k', operation, deadlineMs: 60_000 })
  promise(1, 'a', asked(first.send, 'prepare'), EMPTY_REGISTER)
  const accept = promise(1, 'b', asked(first.send, 'prepare'), EMPTY_REGISTER)
  expect(asked(accept.send, 'accept')).toBeDefined()

  // No answer comes. Meanwhile others write so much that the register drops the client of the operation.
  const later = { ...EMPTY_REGISTER, version: PAXOS_LIMITS.clientsMax + 2, forgotten: 1 }
  const second = proposer.timeout(30_000)
  const request = asked(second.send, 'prepare') ?? asked(proposer.timeout(30_500).send, 'prepare')
  promise(30_501, 'b', request, later)
  // What the first accept proposed may still be decided, until this ballot is.
  const again = asked(promise(30_501, 'c', request, later).send, 'accept')
  if (again?.kind !== 'accept') throw new Error('no accept')
  expect(again.register).toEqual(later)
  const { key, ballot } = again
  proposer.receive(30_502, 'b', { kind: 'accepted', key, ballot })
  const decided = proposer.receive(30_502, 'c', { kind: 'accepted', key, ballot })
  expect(decided.outcomes).toEqual([{ token: 1, outcome: { kind: 'unknown' } }])
})
