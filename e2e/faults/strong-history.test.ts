import { describe, expect, test } from 'vitest'
import { type Action, type Ending, type Operation, unexplained } from './support/strong-history.js'

/** The checker itself: what it must let pass, and what it must not. */
describe('histories that one register explains', () => {
  test('one after the other', () => {
    expect(judge(write('a', 0, 1, done(1)), read(2, 3, 'a', 1), erase(4, 5, done(2)), read(6, 7))).toBe(
      'fine',
    )
  })

  test('a read beside a write sees what was before or after', () => {
    expect(judge(write('a', 0, 9, done(1)), read(1, 2), read(3, 4, 'a', 1))).toBe('fine')
  })

  test('two writes at a time take effect in either order', () => {
    expect(judge(write('a', 0, 9, done(2)), write('b', 0, 9, done(1)), read(10, 11, 'a', 2))).toBe('fine')
  })

  test('an open write takes effect long after, or never', () => {
    const open = write('a', 0, Infinity, OPEN)
    expect(judge(open, write('b', 1, 2, done(1)), read(3, 4, 'b', 1))).toBe('fine')
    expect(judge(open, write('b', 1, 2, done(1)), read(3, 4, 'b', 1), read(5, 6, 'a', 2))).toBe('fine')
  })

  test('of several open writes some', () => {
    const open = ['a', 'b', 'c', 'd'].map((data) => write(data, 0, Infinity, OPEN))
    expect(judge(...open, read(3, 4, 'c', 2), write('e', 5, 6, done(4)), read(7, 8, 'e', 4))).toBe('fine')
  })

  test('settling an operation as never applied makes a version', () => {
    const touches = Array.from({ length: 30 }, () => operation({ kind: 'touch' }, 2, Infinity, OPEN))
    expect(judge(write('a', 0, 1, done(1)), ...touches, read(3, 4, 'a', 2), read(5, 6, 'a', 29))).toBe('fine')
    expect(judge(write('a', 0, 1, done(1)), ...touches, read(3, 4, 'b', 2))).not.toBe('fine')
  })

  test('a conflict tells what was there', () => {
    const refused = onVersion('b', 7, 2, 3, conflict('a', 1))
    expect(judge(write('a', 0, 1, done(1)), refused)).toBe('fine')
  })
})

describe('histories that no register explains', () => {
  test('a write that was acknowledged and is lost', () => {
    expect(judge(write('a', 0, 1, done(1)), read(2, 3))).toMatch(/cannot be next|can be next/)
  })

  test('a read that goes back', () => {
    const writes = [write('a', 0, 1, done(1)), write('b', 2, 9, done(2))]
    expect(judge(...writes, read(3, 4, 'b', 2), read(5, 6, 'a', 1))).not.toBe('fine')
  })

  test('a version that two were told', () => {
    expect(judge(write('a', 0, 9, done(1)), write('b', 0, 9, done(1)))).toMatch(/told twice/)
  })

  test('an open write applied twice', () => {
    const open = write('a', 0, Infinity, OPEN)
    const between = write('b', 4, 5, done(2))
    expect(judge(open, read(2, 3, 'a', 1), between, read(6, 7, 'a', 3))).not.toBe('fine')
  })

  test('an open write that takes effect before it was called', () => {
    expect(judge(read(0, 1, 'a', 1), write('a', 2, Infinity, OPEN))).not.toBe('fine')
  })

  test('a compare-and-set applied over another version', () => {
    const first = write('a', 0, 1, done(1))
    const second = write('b', 2, 3, done(2))
    expect(judge(first, second, onVersion('c', 1, 4, 5, done(3)))).not.toBe('fine')
  })

  test('a conflict where the condition held', () => {
    const refused = onVersion('b', 1, 2, 3, conflict('a', 1))
    expect(judge(write('a', 0, 1, done(1)), refused)).not.toBe('fine')
  })

  test('a conflict that tells what was never there', () => {
    const refused = onVersion('b', 7, 2, 3, conflict('x', 1))
    expect(judge(write('a', 0, 1, done(1)), refused)).not.toBe('fine')
  })

  test('a fence that does not rise', () => {
    const second = { ...write('b', 2, 3, done(2)), ending: { kind: 'done', version: 2, fence: 1 } } as const
    expect(judge(write('a', 0, 1, done(1)), second)).not.toBe('fine')
  })
})

const OPEN: Ending = { kind: 'open' }

function judge(...operations: Operation[]): string {
  return unexplained(operations) ?? 'fine'
}

function operation(action: Action, calledMs: number, returnedMs: number, ending: Ending): Operation {
  return { client: 'c', action, calledMs, returnedMs, ending }
}

function write(data: string, calledMs: number, returnedMs: number, ending: Ending): Operation {
  return operation({ kind: 'write', data }, calledMs, returnedMs, ending)
}

function onVersion(
  data: string,
  version: number,
  calledMs: number,
  returnedMs: number,
  ending: Ending,
): Operation {
  const condition = { kind: 'version', version } as const
  return operation({ kind: 'write', data, condition }, calledMs, returnedMs, ending)
}

function erase(calledMs: number, returnedMs: number, ending: Ending): Operation {
  return operation({ kind: 'write', data: undefined }, calledMs, returnedMs, ending)
}

function read(calledMs: number, returnedMs: number, data?: string, version?: number): Operation {
  return operation({ kind: 'read' }, calledMs, returnedMs, { kind: 'value', seen: { data, version } })
}

function done(version: number): Ending {
  return { kind: 'done', version, fence: version }
}

function conflict(data: string, version: number): Ending {
  return { kind: 'conflict', seen: { data, version } }
}
