import { parseArgs } from 'node:util'

export interface PathsOptions {
  /** Simulated lines; real processes behind a proxy, or behind netem; the latter is run `inside` of a namespace. */
  readonly over: 'simulation' | 'proxy' | 'netem' | 'inside'
  /** Parts of names of scenarios; none means all. */
  readonly only: readonly string[]
  /** Of each scenario. */
  readonly worlds: number | undefined
  readonly seed: number
  /** For how long real ones write. */
  readonly seconds: number
  /** A file for all that real ones measured, as JSON; scenarios a line. */
  readonly raw: string | undefined
}

export const PATHS_USAGE = '[--proxy | --netem] [--only TEXT]... [--worlds N] [--seed N] '

const SECONDS = 24

/** @throws Error that says what is wrong with the command line */
export function parsePathsOptions(args: readonly string[]): PathsOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      proxy: { type: 'boolean', default: false },
      netem: { type: 'boolean', default: false },
      // Given by the bench itself.
      inside: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      worlds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      raw: { type: 'string' },
      seconds: { type: 'string', default: String(SECONDS) },
    },
  })
  if (values.proxy && values.netem) throw new Error('--proxy and --netem are two ways to do it; give one')
  return {
    over: values.inside ? 'inside' : values.netem ? 'netem' : values.proxy ? 'proxy' : 'simulation',
    only: values.only,
    worlds: values.worlds === undefined ? undefined : whole('--worlds', values.worlds, 1),
    seed: whole('--seed', values.seed, 0),
    seconds: whole('--seconds', values.seconds, 1),
    raw: values.raw,
  }
}

function whole(option: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < least) {
    throw new Error(`${option} takes a whole number from ${least}, not "${text}"`)
  }
  return value
}
