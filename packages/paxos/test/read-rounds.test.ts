import { expect, test } from 'vitest'
import { type Envelope, Proposer, type Read, ZERO_BALLOT } from '../src/index.js'
import { EMPTY_REGISTER } from '../src/register.js'
import { configurationOf } from './support/cluster.js'
import { READ } from './support/operations.js'

function proposerOf(incarnation: number): Proposer {
  return new Proposer({
    id: 'a',
    incarnation,
    configuration: configurationOf(['a', 'b', 'c']),
    known: () => ({ accepted: ZERO_BALLOT, register: EMPTY_REGISTER }),
  })
}

const readOf = (send: readonly Envelope[]): Read => send.find(({ to }) => to === 'b')!.message as Read

test('P3 an answer to a read of an earlier life counts for nothing', () => {
  const submission = { token: 1, key: 'k', operation: READ, deadlineMs: 1_000 }
  const before = readOf(proposerOf(1).submit(0, submission).send)
  const proposer = proposerOf(2)
  const now = readOf(proposer.submit(0, submission).send)
  const answer = { kind: 'current', key: 'k', accepted: ZERO_BALLOT, register: EMPTY_REGISTER } as const
  const told = (read: Read) =>
    ['b', 'c'].flatMap((id) => proposer.receive(1, id, { ...answer, round: read.round }).outcomes)
  expect(told(before)).toEqual([])
  expect(told(now)).toHaveLength(1)
})
