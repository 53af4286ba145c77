import { checkLinearizable, type HistoryOperation } from '@skein/simulator'
import { describe, expect, test } from 'vitest'

/** `invoked-returned` of an operation; `-` alone at the end: it never returned. */
function at(
  times: string,
  call: HistoryOperation['call'],
  result?: HistoryOperation['result'],
): HistoryOperation {
  const [invoked, returned] = times.split('-')
  return { invoked: Number(invoked), returned: returned ? Number(returned) : undefined, call, result }
}

const set = (value: string) => ({ kind: 'set', value }) as const
const cas = (version: number, value: string) => ({ kind: 'set', value, condition: { version } }) as const
const read = { kind: 'read' } as const
const done = (version: number) => ({ kind: 'done', version }) as const
const value = (version: number, text?: string) => ({ kind: 'value', version, value: text }) as const
const conflict = (version: number, text?: string) => ({ kind: 'conflict', version, value: text }) as const

describe('good histories', () => {
  const good: [name: string, history: HistoryOperation[]][] = [
    ['nothing', []],
    ['one after the other', [at('1-2', set('a'), done(1)), at('3-4', read, value(1, 'a'))]],
    ['a read beside a write sees either', [at('1-4', set('a'), done(1)), at('2-3', read, value(0))]],
    [
      'two writes at a time in any order',
      [at('1-4', set('a'), done(2)), at('2-3', set('b'), done(1)), at('5-6', read, value(2, 'a'))],
    ],
    [
      'an open write may be seen late',
      [at('1-', set('a')), at('2-3', read, value(0)), at('4-5', read, value(1, 'a'))],
    ],
    [
      'an open write may never be seen',
      [at('1-', set('a')), at('2-3', set('b'), done(1)), at('4-5', read, value(1, 'b'))],
    ],
    [
      'an open compare-and-set whose version has passed',
      [at('1-', cas(0, 'a')), at('2-3', set('b'), done(1)), at('4-5', read, value(1, 'b'))],
    ],
    ['a conflict is a read', [at('1-2', set('a'), done(1)), at('3-4', cas(0, 'b'), conflict(1, 'a'))]],
    [
      'deletion leaves the version',
      [at('1-2', set('a'), done(1)), at('3-4', { kind: 'delete' }, done(2)), at('5-6', read, value(2))],
    ],
    [
      'giving up raises the version',
      [at('1-2', set('a'), done(1)), at('3-4', { kind: 'touch' }), at('5-6', read, value(2, 'a'))],
    ],
    [
      'many open writes',
      [
        ...Array.from({ length: 20 }, (_, i) => at(`${i + 1}-`, set(`v${i}`))),
        at('30-31', read, value(3, 'v7')),
      ],
    ],
  ]
  test.each(good)('%s', (_, history) => expect(checkLinearizable(history)).toBe(true))
})

describe('bad histories', () => {
  const bad: [name: string, history: HistoryOperation[]][] = [
    ['a stale read', [at('1-2', set('a'), done(1)), at('3-4', read, value(0))]],
    ['a read from the future', [at('1-2', read, value(1, 'a')), at('3-4', set('a'), done(1))]],
    ['a lost write', [at('1-2', set('a'), done(1)), at('3-4', set('b'), done(1))]],
    [
      'reads that go back',
      [at('1-9', set('a'), done(1)), at('2-3', read, value(1, 'a')), at('4-5', read, value(0))],
    ],
    ['a value that nobody wrote', [at('1-2', set('a'), done(1)), at('3-4', read, value(1, 'b'))]],
    ['a compare-and-set past its version', [at('1-2', set('a'), done(1)), at('3-4', cas(0, 'b'), done(2))]],
    ['a conflict that was none', [at('1-2', set('a'), done(1)), at('3-4', cas(1, 'b'), conflict(1, 'a'))]],
    [
      'a stale conflict',
      [at('1-2', set('a'), done(1)), at('3-4', set('b'), done(2)), at('5-6', cas(0, 'c'), conflict(1, 'a'))],
    ],
    ['an effect of what was ruled out', [at('1-2', read, value(0)), at('3-4', read, value(1, 'a'))]],
    ['applied twice', [at('1-2', set('a'), done(1)), at('3-4', read, value(2, 'a'))]],
    ['a write before it was asked for', [at('1-2', set('b'), done(2)), at('3-4', set('a'), done(1))]],
    [
      'absent where there is a value',
      [at('1-2', set('a'), done(1)), at('3-4', { kind: 'set', value: 'b', condition: 'absent' }, done(2))],
    ],
  ]
  test.each(bad)('%s', (_, history) => expect(checkLinearizable(history)).toBe(false))
})
