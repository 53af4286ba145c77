import type { Arena } from '../arena.js'
import { defineCase, FORWARDERS } from '../case.js'
import { Receiver } from '../clients.js'
import { settled } from '../pace.js'

const CONNECTIONS = 2_000
const PER_ROOM = 2

export const IDLE_MEMORY = defineCase({
  name: `${CONNECTIONS.toLocaleString('en')} idle connections in ${(CONNECTIONS / PER_ROOM).toLocaleString('en')} rooms`,
  contenders: FORWARDERS,
  metrics: { kib: { label: 'memory each', unit: 'KiB', base: 'bare' } },
  run: idleMemory,
})

/** Resident memory of the server per idle connection, before a collection is asked for. */
async function idleMemory(arena: Arena) {
  const contender = await arena.start()
  const before = await contender.usage('collect')
  const readers: Receiver[] = []
  for (let i = 0; i < CONNECTIONS; i++) {
    readers.push(await Receiver.connect(contender, `idle-${Math.floor(i / PER_ROOM)}`))
  }
  await settled()
  const after = await contender.usage()
  for (const reader of readers) reader.close()
  return { kib: (after.rssBytes - before.rssBytes) / CONNECTIONS / 1024 }
}
