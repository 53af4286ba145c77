#!/usr/bin/env node
import { pathsBench } from './paths/bench.js'
import { PATHS_USAGE } from './paths/options.js'
import { relayBench } from './relay/bench.js'
import { BENCH_USAGE } from './relay/options.js'
import { bundleSizes } from './size.js'
import { strongBench } from './strong/bench.js'
import { STRONG_USAGE } from './strong/options.js'

const BENCHES: Record<
  string,
  { readonly about: string; readonly options?: string; run(args: readonly string[]): Promise<void> }
> = {
  relay: {
    about: 'the relay beside a bare forwarder and other Yjs servers; --trace takes edits as gzipped JSON',
    options: BENCH_USAGE,
    run: relayBench,
  },
  strong: {
    about: 'the strong region of three relays beside three members of etcd, and what the machine allows',
    options: STRONG_USAGE,
    run: strongBench,
  },
  paths: {
    about: 'ways to use several paths, over simulated lines or with real processes behind lines of a proxy',
    options: PATHS_USAGE,
    run: pathsBench,
  },
  size: { about: 'bundle size of the agent beside yjs + y-websocket + y-indexeddb', run: bundleSizes },
}

const [name, ...args] = process.argv.slice(2)
const bench = name === undefined ? undefined : BENCHES[name]
if (bench === undefined) {
  console.log('Usage: bench <name> [options]\n')
  for (const [key, { about, options }] of Object.entries(BENCHES)) {
    console.log(`  ${key.padEnd(8)} ${about}${options === undefined ? '' : `\n           ${options}`}`)
  }
  process.exitCode = name === undefined ? 0 : 2
} else {
  try {
    await bench.run(args)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
