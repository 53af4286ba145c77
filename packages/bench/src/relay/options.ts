import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** Parts of names of cases; none means all cases. */
  readonly only: readonly string[]
  readonly rounds: number
  /** A file of recorded edits for the long text. */
  readonly trace: string | undefined
}

export const BENCH_USAGE = '[--only TEXT]... [--rounds N] [--trace FILE]'

const ROUNDS = 3

/** @throws Error that says what is wrong with the command line */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      trace: { type: 'string' },
    },
  })
  const rounds = values.rounds === undefined ? ROUNDS : Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds takes a number from 1, not ${values.rounds}`)
  return { only: values.only ?? [], rounds, trace: values.trace }
}
