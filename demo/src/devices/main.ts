/**
 * The simulated-devices agent: joins the space as any agent does, brings the home along, and plays the
 * devices in it.
 *
 *     node dist/devices/main.js --relay ws://127.0.0.1:1234 [--relay ...] [--space home] [--data ./dir]
 */
import { parseArgs } from 'node:util'
import { joinSpace } from '@skein/agent'
import { announce } from '../agent/announce.js'
import { STRONG_PREFIXES } from '../model/keys.js'
import { seedHome } from '../model/seed.js'
import { Bridge } from './bridge.js'
import { Fleet } from './fleet.js'
import { StrongBridge } from './strong-bridge.js'

/** Well under the lamps' latency. */
const STEP_MS = 50

const { values: options } = parseArgs({
  options: {
    relay: { type: 'string', multiple: true, default: [] },
    space: { type: 'string', default: 'home' },
    data: { type: 'string' },
  },
})

const space = await joinSpace(options.space, {
  relays: options.relay,
  strong: STRONG_PREFIXES,
  presence: { name: 'Devices', kind: 'bridge', bridge: true, simulated: true },
  ...(options.data === undefined ? {} : { dataDir: options.data }),
})
const endAnnouncing = announce(space)

let stopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop())
// The parent is gone, and with it the reason to run.
process.on('disconnect', () => void stop())

// What others made of the home comes first, so that nothing they renamed is seeded over.
if (options.relay.length > 0) await space.whenSynced.catch(() => undefined)
if (!stopping) run()

function run(): void {
  const seeded = seedHome(space)
  const fleet = new Fleet(Math.random)
  const bridge = new Bridge(space, fleet.devices, Date.now)
  const strongBridge = new StrongBridge(space, space.strong, fleet.guarded, Date.now)
  bridge.report()
  const timer = setInterval(() => {
    if (stopping) {
      clearInterval(timer)
      bridge.end()
      strongBridge.end()
      return
    }
    fleet.advance(Date.now())
    strongBridge.writeBack()
    bridge.report()
  }, STEP_MS)
  const news = seeded > 0 ? `${seeded} keys of the home were new` : 'the home was there already'
  console.log(`ready: ${fleet.devices.length} simulated entities in space "${space.name}", ${news}`)
  process.send?.({ ready: true })
}

async function stop(): Promise<void> {
  if (stopping) return
  stopping = true
  endAnnouncing()
  await space.leave()
  process.exit(0)
}
