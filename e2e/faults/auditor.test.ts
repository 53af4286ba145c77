import { describe, expect, test } from 'vitest'
import { Auditor, DELETED } from './support/auditor.js'

/** An audit that cannot fail proves nothing, so here it has to. */
describe('the auditor', () => {
  function history(): Auditor {
    const auditor = new Auditor()
    for (const fact of [
      { key: 'a', version: 1 },
      { key: 'b', version: 1 },
      { key: 'b', version: 2 },
      { key: 'gone', version: 1 },
      { key: 'gone', version: DELETED },
    ]) {
      auditor.wrote(fact)
      auditor.confirmed(fact)
    }
    auditor.wrote({ key: 'b', version: 3 })
    auditor.wrote({ key: 'c', version: 1 })
    auditor.confirmed({ key: 'c', version: 1 })
    auditor.wrote({ key: 'c', version: DELETED })
    auditor.wrote({ key: 'd', version: 1 })
    return auditor
  }

  const sound = (): Map<string, unknown> =>
    new Map<string, unknown>([
      ['a', 1],
      ['b', 2],
      ['c', 1],
    ])

  test('takes a state with all that was acknowledged, whatever became of the rest', () => {
    expect(history().complaints(sound())).toEqual([])
    const more = sound().set('b', [3, 'ballast']).set('d', 1)
    more.delete('c')
    expect(history().complaints(more)).toEqual([])
  })

  test.each<[string, (state: Map<string, unknown>) => void, RegExp]>([
    ['a lost key', (state) => state.delete('a'), /^a: version 1 is missing$/],
    ['a lost version', (state) => state.set('b', 1), /^b: version 2 was acknowledged, version 1 is there$/],
    ['a lost deletion', (state) => state.set('gone', 1), /^gone: its deletion is missing$/],
    ['a key from nowhere', (state) => state.set('e', 1), /^e: nobody wrote it$/],
    ['a version from nowhere', (state) => state.set('a', 2), /^a: version 2 was never written$/],
    ['a value that is no version', (state) => state.set('a', 'x'), /^a: version NaN/],
  ])('complains about %s', (_, spoil, complaint) => {
    const state = sound()
    spoil(state)
    expect(history().complaints(state)).toEqual([expect.stringMatching(complaint)])
  })

  test('complains about an empty relay', () => {
    expect(history().complaints(new Map())).toHaveLength(2)
  })
})
