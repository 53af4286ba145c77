import type { Case } from './case.js'
import { FAN_OUT } from './cases/fan-out.js'
import { HISTORIES } from './cases/history.js'
import { IDLE_MEMORY } from './cases/idle-memory.js'
import { KILL } from './cases/kill.js'
import { MANY_ROOMS } from './cases/many-rooms.js'
import { SLOW_READER } from './cases/slow-reader.js'

const CASES: readonly Case[] = [...FAN_OUT, MANY_ROOMS, IDLE_MEMORY, ...HISTORIES, SLOW_READER, ...KILL]

/**
 * The cases whose names contain any of these texts; all of them where there are none.
 * @throws Error where a text is in no name
 */
export function casesNamed(only: readonly string[]): readonly Case[] {
  for (const text of only) {
    if (CASES.some(({ name }) => name.includes(text))) continue
    const names = CASES.map(({ name }) => `  ${name}`).join('\n')
    throw new Error(`no case is called "${text}"; there are:\n${names}`)
  }
  return only.length === 0 ? CASES : CASES.filter(({ name }) => only.some((text) => name.includes(text)))
}
