import { readFileSync } from 'node:fs'
import type { Message } from '../../src/index.js'
import { fromHex } from './bytes.js'

/** A message and the frame that carries it, byte for byte. Made from the layouts in SPEC.md, not with our encoder. */
export interface GoldenFrame {
  readonly name: string
  readonly message: Message
  readonly frame: Uint8Array
}

/** The file as text; the fields `stateVector`, `update`, `part` and `frame` are hexadecimal in it. */
export const GOLDEN_TEXT = readFileSync(new URL('../../testdata/golden-frames.json', import.meta.url), 'utf8')

export const GOLDEN: readonly GoldenFrame[] = JSON.parse(GOLDEN_TEXT, (key, value) =>
  ['stateVector', 'update', 'frame', 'part'].includes(key) ? fromHex(value) : value,
)
