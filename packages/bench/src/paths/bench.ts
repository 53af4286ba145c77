import { netemPaths } from './netem/bench.js'
import { parsePathsOptions } from './options.js'
import { realPaths } from './real/bench.js'
import { simulatedPaths } from './simulated.js'

/** Ways to use several paths, in virtual time, or with real processes. */
export async function pathsBench(args: readonly string[]): Promise<void> {
  const options = parsePathsOptions(args)
  if (options.over === 'simulation') simulatedPaths(options)
  else if (options.over === 'netem') await netemPaths(args)
  else await realPaths(options)
}
