import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  applyOperation,
  type Condition,
  EMPTY_REGISTER,
  entryOf,
  type Operation,
  PAXOS_LIMITS,
  type Register,
  type Result,
  type WriteOperation,
} from '../src/index.js'
import { Cluster } from './support/cluster.js'
import { compareAndSet, READ, resolve, set } from './support/operations.js'

/** A register, and what was made of it. */
class Key {
  register: Register = EMPTY_REGISTER

  do(operation: Operation): Result {
    const { register, result } = applyOperation(this.register, operation)
    this.register = register
    return result
  }
}

const by = (client: string, sequence: number) => ({ id: { client, sequence } })

describe('one register', () => {
  test('O1 a write raises the version by one, and the fence unless it keeps it', () => {
    const key = new Key()
    expect(key.do(set('1'))).toEqual({ kind: 'done', version: 1, fence: 1 })
    expect(key.do(set('2'))).toEqual({ kind: 'done', version: 2, fence: 2 })
    expect(key.do(set('3', { keepsFence: true }))).toEqual({ kind: 'done', version: 3, fence: 2 })
    expect(key.do(READ)).toEqual({ kind: 'value', current: { value: '3', version: 3, fence: 2 } })
  })

  test('O1 deletion leaves the register behind: nothing begins anew', () => {
    const key = new Key()
    key.do(set('1'))
    expect(key.do(set(undefined))).toEqual({ kind: 'done', version: 2, fence: 2 })
    expect(key.do(READ)).toEqual({ kind: 'value', current: { value: undefined, version: 2, fence: 2 } })
    expect(key.do(set('3'))).toEqual({ kind: 'done', version: 3, fence: 3 })
  })

  const conditions: [Condition, Register, boolean][] = [
    EMPTY_REGISTER,
    { ...EMPTY_REGISTER, version: 3, fence: 2, data: 'x' },
  ].flatMap((register): [Condition, Register, boolean][] => {
    const { version, fence, data } = register
    return [
      [{ kind: 'version', version }, register, true],
      [{ kind: 'version', version: version + 1 }, register, false],
      [{ kind: 'fence', fence }, register, true],
      [{ kind: 'fence', fence: fence + 1 }, register, false],
      [{ kind: 'absent' }, register, data === undefined],
      [{ kind: 'present' }, register, data !== undefined],
    ]
  })

  test.each(conditions)('O2 the condition %j on %j: %s', (condition, register, holds) => {
    const after = applyOperation(register, set('new', { condition }))
    if (holds) expect(after).toMatchObject({ result: { kind: 'done' }, register: { data: 'new' } })
    else expect(after).toEqual({ register, result: { kind: 'conflict', current: entryOf(register) } })
  })

  test('O2 a conflict is not remembered: the same operation may be applied later', () => {
    const key = new Key()
    const operation = set('2', { condition: { kind: 'present' } })
    expect(key.do(operation).kind).toBe('conflict')
    key.do(set('1'))
    expect(key.do(operation).kind).toBe('done')
  })

  test('O3 a repeated operation is told its first result, though others followed', () => {
    const key = new Key()
    const operation = set('mine', { condition: { kind: 'absent' } })
    key.do(operation)
    key.do(set('later'))
    expect(key.do(operation)).toEqual({ kind: 'done', version: 1, fence: 1 })
    expect(key.register.data).toBe('later')
  })

  test('O4 the client that wrote longest ago is forgotten first', () => {
    const key = new Key()
    const first = set('0', by('first', 1))
    key.do(first)
    key.do(set('1', by('second', 1)))
    key.do({ ...first, ...by('first', 2) })
    for (let i = 2; i < PAXOS_LIMITS.clientsMax; i++) key.do(set('x'))
    expect(key.register.clients).toHaveLength(PAXOS_LIMITS.clientsMax)
    key.do(set('one too many'))
    expect(key.register.clients).toHaveLength(PAXOS_LIMITS.clientsMax)
    expect(key.do(first)).toMatchObject({ kind: 'done', version: 1 })
    expect(key.do(set('1', by('second', 1)))).toMatchObject({ kind: 'forgotten' })
    expect(key.register.forgotten).toBe(2)
  })

  test('O4 what may have been applied before its client was forgotten is not applied', () => {
    const key = new Key()
    key.do(set('0', by('gone', 1)))
    for (let i = 0; i < PAXOS_LIMITS.clientsMax; i++) key.do(set('x'))
    const { version, forgotten } = key.register
    expect(forgotten).toBe(1)
    expect(key.do(set('again', by('gone', 1)))).toMatchObject({ kind: 'forgotten', current: { version } })
    expect(key.do(resolve(set('again', by('gone', 1)))).kind).toBe('forgotten')
    expect(key.register.version).toBe(version)
    // Begun at a version that is not forgotten, it certainly was not applied before.
    expect(key.do(set('new', { ...by('gone', 2), since: forgotten })).kind).toBe('done')
  })

  test('O4 the version of the newest result that a dropped client had counts', () => {
    const key = new Key()
    for (let sequence = 1; sequence <= 5; sequence++) key.do(set('x', by('gone', sequence)))
    for (let i = 0; i < PAXOS_LIMITS.clientsMax; i++) key.do(set('x'))
    expect(key.register.forgotten).toBe(5)
    expect(key.do(set('x', { ...by('gone', 5), since: 4 })).kind).toBe('forgotten')
  })

  test('O4 of one client only so many results are kept', () => {
    const key = new Key()
    const written = PAXOS_LIMITS.resultsPerClientMax + 1
    for (let sequence = 1; sequence <= written; sequence++) key.do(set('x', by('busy', sequence)))
    expect(key.register.clients[0]?.results).toHaveLength(PAXOS_LIMITS.resultsPerClientMax)
    expect(key.do(set('x', by('busy', 1))).kind).toBe('forgotten')
    expect(key.do(set('x', by('busy', 2)))).toMatchObject({ kind: 'done', version: 2 })
    expect(key.do(set('x', by('busy', written + 1)))).toMatchObject({ kind: 'done', version: written + 1 })
  })

  test('O5 resolve tells what was applied, and stops for ever what was not', () => {
    const key = new Key()
    const applied = set('1', by('c', 1))
    key.do(applied)
    expect(key.do(resolve(applied))).toEqual({ kind: 'done', version: 1, fence: 1 })
    const open = set('2', by('c', 2))
    expect(key.do(resolve(open))).toEqual({ kind: 'aborted', current: { value: '1', version: 2, fence: 1 } })
    expect(key.do(open).kind).toBe('aborted')
    expect(key.do(resolve(open)).kind).toBe('aborted')
    expect(entryOf(key.register)).toEqual({ value: '1', version: 2, fence: 1 })
  })

  test('O6 settled results are dropped, and not applied again', () => {
    const key = new Key()
    for (let sequence = 1; sequence <= 3; sequence++) key.do(set('x', by('c', sequence)))
    key.do(set('x', { ...by('c', 4), settled: 2 }))
    expect(key.register.clients[0]?.results.map(({ sequence }) => sequence)).toEqual([3, 4])
    expect(key.do(set('x', by('c', 2))).kind).toBe('forgotten')
    expect(key.do(set('x', by('c', 3)))).toMatchObject({ kind: 'done', version: 3 })
    expect(key.register.version).toBe(4)
  })

  test('O6 an operation does not settle itself, and what is settled stays so', () => {
    const key = new Key()
    const operation = set('x', { ...by('c', 5), settled: 9 })
    key.do(operation)
    expect(key.do(operation).kind).toBe('done')
    // What its client has not sent yet cannot be settled, whatever it says.
    expect(key.do(set('x', { ...by('c', 6), settled: 0 })).kind).toBe('done')
    expect(key.do(set('x', by('c', 4))).kind).toBe('forgotten')
  })
})

interface Step {
  readonly client: number
  readonly sequence: number
  readonly settles: boolean
  readonly resolves: boolean
  readonly expected: Condition | undefined
}

const steps = fc.array(
  fc.record<Step>({
    client: fc.integer({ min: 0, max: 3 }),
    sequence: fc.integer({ min: 1, max: 6 }),
    settles: fc.boolean(),
    resolves: fc.boolean(),
    expected: fc.constantFrom<(Condition | undefined)[]>(undefined, { kind: 'present' }, { kind: 'absent' }),
  }),
  { maxLength: 60 },
)

test('O1 O3 O5 O6 in any order of attempts each id is applied at most once, and never after it was given up', () => {
  fc.assert(
    fc.property(steps, (run) => {
      const key = new Key()
      const ended = new Map<string, Result>()
      for (const { client, sequence, settles, resolves, expected } of run) {
        const before = key.register
        const write: WriteOperation = set(`${client}/${sequence}`, {
          ...by(String(client), sequence),
          settled: settles ? sequence - 1 : 0,
          condition: expected,
        })
        const result = key.do(resolves ? resolve(write) : write)
        const name = `${client}/${sequence}`
        const known = ended.get(name)
        const isChange = key.register !== before
        expect(key.register.version).toBe(before.version + (isChange ? 1 : 0))
        expect(key.register.fence - before.fence).toBe(isChange && result.kind === 'done' ? 1 : 0)
        if (known?.kind === 'done') {
          expect(isChange).toBe(false)
          expect([known, 'forgotten']).toContainEqual(result.kind === 'done' ? result : result.kind)
        } else if (known?.kind === 'aborted') {
          expect(isChange).toBe(false)
          expect(['aborted', 'forgotten']).toContain(result.kind)
        } else if (result.kind === 'done' || result.kind === 'aborted') {
          expect(isChange).toBe(true)
          ended.set(name, result)
        } else {
          expect(isChange).toBe(false)
        }
      }
    }),
    { numRuns: 500 },
  )
})

describe('a cluster', () => {
  test('O3 an operation whose answer was lost is applied once, though it is asked of another member', () => {
    const cluster = new Cluster()
    const operation = set('1', { condition: { kind: 'absent' } })
    const token = cluster.submit('a', 'k', operation)
    cluster.until(() => cluster.network.some(({ message }) => message.kind === 'accept'))
    cluster.take({ from: 'a', to: 'b' })
    cluster.deliverAll({ from: 'a', to: 'c' })
    cluster.flush('c')
    cluster.crash('a')
    expect(cluster.outcomes.has(token)).toBe(false)
    expect(cluster.decide('b', 'k', operation)).toEqual({ kind: 'done', version: 1, fence: 1 })
    expect(cluster.decide('c', 'k', operation)).toEqual({ kind: 'done', version: 1, fence: 1 })
    expect(cluster.read('c', 'k')).toMatchObject({ current: { value: '1', version: 1 } })
  })

  test('O5 what was resolved as aborted stays so through every member', () => {
    const cluster = new Cluster()
    const operation = set('1')
    expect(cluster.decide('b', 'k', resolve(operation))).toMatchObject({ kind: 'aborted' })
    for (const id of ['a', 'b', 'c']) expect(cluster.decide(id, 'k', operation).kind).toBe('aborted')
    expect(cluster.read('a', 'k')).toMatchObject({ current: { value: undefined, version: 1, fence: 0 } })
  })

  test('O2 a conflict tells what is decided, so that the next attempt can succeed', () => {
    const cluster = new Cluster()
    cluster.decide('a', 'k', set('1'))
    const outcome = cluster.decide('b', 'k', compareAndSet(0, '2'))
    expect(outcome).toEqual({ kind: 'conflict', current: { value: '1', version: 1, fence: 1 } })
    expect(cluster.decide('b', 'k', compareAndSet(1, '2')).kind).toBe('done')
  })
})
