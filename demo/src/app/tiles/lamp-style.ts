import type { Json } from '@skein/agent'
import type { CSSProperties } from 'react'
import { LAMP_COLORS } from '../../model/fields.js'

/** How a lamp shines, for CSS: `--lamp` is its colour, `--level` its brightness from 0 to 1. */
export function lampStyle(
  on: Json | undefined,
  brightness: Json | undefined,
  color: Json | undefined,
): CSSProperties {
  const percent = typeof brightness === 'number' ? brightness : 100
  return {
    '--lamp': typeof color === 'string' ? color : LAMP_COLORS[1].hex,
    // Eyes are not linear: ten percent is dim, and far from dark.
    '--level': on === true ? (0.16 + 0.84 * (percent / 100) ** 0.8).toFixed(3) : 0,
  } as CSSProperties
}
