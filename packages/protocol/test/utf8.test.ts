import { expect, test } from 'vitest'
import { utf16Length } from '../src/utf8.js'
import { hex } from './support/bytes.js'
import { errorCodeOf } from './support/error-code.js'
import { mutate } from './support/mutate.js'
import { randomString } from './support/random-doc.js'
import { eachSeed } from './support/seed.js'

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The same answer as a strict decoder gives: the length of its string, or a refusal. */
function agrees(bytes: Uint8Array): boolean {
  let expected: number | undefined
  try {
    expected = STRICT.decode(bytes).length
  } catch {}
  let length: number | undefined
  const code = errorCodeOf(() => {
    length = utf16Length(bytes)
  })
  return length === expected && code === (expected === undefined ? 'malformed' : undefined)
}

test('P14 every string of up to two bytes, and every lead of three and four, is judged as TextDecoder does', () => {
  const bad: number[][] = []
  const judge = (bytes: number[]) => {
    if (!agrees(Uint8Array.from(bytes))) bad.push(bytes)
  }
  judge([])
  const edges = [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0]
  for (let a = 0; a < 256; a++) {
    judge([a])
    for (let b = 0; b < 256; b++) judge([a, b])
    if (a < 0xe0) continue
    for (const b of edges) {
      for (const c of [0x7f, 0x80, 0xbf, 0xc0]) {
        judge([a, b, c])
        for (const d of [0x7f, 0x80, 0xbf, 0xc0]) judge([a, b, c, d])
      }
    }
  }
  expect(bad).toEqual([])
})

test('P14 mutated text is judged as TextDecoder does', () => {
  eachSeed('P14', 100, (random) => {
    for (let i = 0; i < 100; i++) {
      const text = () => new TextEncoder().encode(randomString(random))
      const bytes = mutate(random, text(), text())
      if (!agrees(bytes)) throw new Error(`judged otherwise: ${hex(bytes)}`)
    }
  })
})
