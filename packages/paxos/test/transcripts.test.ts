import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { replay } from './support/transcript.js'

// Runs that a person can read, one a file. `SKEIN_REWRITE=1` writes down what happens now; read the
// difference before it is committed.
const FOLDER = new URL('../testdata/', import.meta.url)

test.each(readdirSync(FOLDER))('transcript %s', (name) => {
  const file = new URL(name, FOLDER)
  const expected = readFileSync(file, 'utf8')
  const happened = replay(expected)
  if (process.env.SKEIN_REWRITE === '1') writeFileSync(file, happened)
  else expect(happened).toBe(expected)
})
