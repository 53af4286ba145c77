import { LowestRoundTrip, RoundRobin } from '@skein/simulator'
import { PATH_LIMITS } from '@skein/sync'
import { describe, expect, test } from 'vitest'
import { parsePathsOptions } from '../../src/paths/options.js'
import { BaselineChoice } from '../../src/paths/real/baseline-choice.js'

describe('a simulated way as the choice of a session', () => {
  test('the first path brings what others write until it closes, whichever messages take', () => {
    const choice = new BaselineChoice(new RoundRobin())
    expect(choice.opened(0, 1).switched).toEqual({ from: undefined, to: 1, reason: 'first' })
    expect(choice.opened(0, 0).switched).toBeUndefined()
    const over = [1, 2, 3].map((id) => choice.submit(0, message(id)).send.map(({ path }) => path))
    expect(over).toEqual([[1], [0], [1]])
    expect([choice.active, choice.report(0)?.isActive, choice.report(7)]).toEqual([1, false, undefined])
    const { switched, send } = choice.closed(0, 1)
    expect(switched).toEqual({ from: 1, to: 0, reason: 'closed' })
    expect(send.map(({ path, id }) => [path, id])).toEqual([
      [0, 1],
      [0, 3],
    ])
    expect(choice.closed(0, 0).switched).toEqual({ from: 0, to: undefined, reason: 'closed' })
  })

  test('where it follows, the path that is used brings what others write', () => {
    const choice = new BaselineChoice(new LowestRoundTrip(), true)
    for (const path of [0, 1]) choice.opened(0, path)
    choice.answered(0, 0, 80)
    choice.answered(0, 1, 20)
    expect(choice.submit(0, message(1)).switched).toEqual({ from: 0, to: 1, reason: 'better' })
    expect(choice.submit(0, message(2)).switched).toBeUndefined()
  })

  test('takes no more than the scheduler would', () => {
    const choice = new BaselineChoice(new RoundRobin())
    choice.opened(0, 0)
    for (let id = 1; id <= PATH_LIMITS.inFlightMax; id++) choice.submit(0, message(id))
    expect(choice.isFull).toBe(true)
    choice.acknowledged(0, 0, 1)
    expect(choice.isFull).toBe(false)
  })
})

describe('the command line of bench paths', () => {
  test('says what is wrong with it', () => {
    expect(() => parsePathsOptions(['--proxy', '--netem'])).toThrow('give one')
    expect(() => parsePathsOptions(['--worlds', '0'])).toThrow(
      '--worlds takes a whole number from 1, not "0"',
    )
    expect(() => parsePathsOptions(['--fast'])).toThrow('--fast')
  })

  test('is a simulation unless it says otherwise', () => {
    expect(parsePathsOptions([])).toMatchObject({ over: 'simulation', only: [], seed: 1 })
    expect(parsePathsOptions(['--proxy', '--only', 'loss'])).toMatchObject({ over: 'proxy', only: ['loss'] })
    expect(parsePathsOptions(['--netem', '--inside'])).toMatchObject({ over: 'inside' })
  })
})

function message(id: number) {
  return { id, bytes: 100, traffic: 'interactive' } as const
}
