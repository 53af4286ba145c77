import { expect, test } from 'vitest'
import { CLOSE, isFinalCloseCode } from '../src/index.js'

test('P75 the final codes are 4400 to 4499 and 1009', () => {
  const final: number[] = []
  for (let code = 0; code < 5000; code++) if (isFinalCloseCode(code)) final.push(code)
  expect(final).toEqual([1009, ...Array.from({ length: 100 }, (_, i) => 4400 + i)])
})

test('P76 every code means what SPEC.md says', () => {
  expect(CLOSE).toEqual({
    restart: 1012,
    tryLater: 1013,
    frameTooLarge: 1009,
    malformedFrame: 4400,
    originNotAllowed: 4403,
    badSpaceName: 4404,
    noCommonVersion: 4406,
    wrongEpoch: 4409,
    unfaithful: 4410,
    malformedUpdate: 4422,
    strongKey: 4423,
    spaceUnavailable: 4500,
  })
})

test('P75 what may get better by itself is not final', () => {
  const transient = Object.entries(CLOSE).filter(([, code]) => !isFinalCloseCode(code))
  expect(transient.map(([name]) => name).sort()).toEqual(['restart', 'spaceUnavailable', 'tryLater'])
})
