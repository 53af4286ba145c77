import { parseArgs } from 'node:util'

export interface StrongOptions {
  /** Parts of names of cases; none means all cases. */
  readonly only: readonly string[]
  readonly rounds: number
  /** How long each run counts, in seconds. */
  readonly seconds: number
}

export const STRONG_USAGE = '[--only TEXT]... [--rounds N] [--seconds N]'

/** @throws Error that says what is wrong with the command line */
export function parseStrongOptions(args: readonly string[]): StrongOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '3' },
    },
  })
  return {
    only: values.only,
    rounds: wholeNumber('rounds', values.rounds),
    seconds: wholeNumber('seconds', values.seconds),
  }
}

function wholeNumber(name: string, value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`--${name} takes a number from 1, not ${value}`)
  return number
}
