#!/usr/bin/env node
import { relayBench } from './relay/bench.js'
import { bundleSizes } from './size.js'

const BENCHES: Record<string, { about: string; run: () => Promise<void> }> = {
  relay: {
    about: 'the relay beside a bare forwarder and @y/websocket-server; about 4 minutes',
    run: relayBench,
  },
  size: { about: 'bundle size of the agent beside yjs + y-websocket + y-indexeddb', run: bundleSizes },
}

const name = process.argv[2]
const bench = name === undefined ? undefined : BENCHES[name]
if (bench === undefined) {
  console.log('Usage: bench <name>\n')
  for (const [key, { about }] of Object.entries(BENCHES)) console.log(`  ${key.padEnd(8)} ${about}`)
  process.exitCode = name === undefined ? 0 : 2
} else {
  await bench.run()
}
