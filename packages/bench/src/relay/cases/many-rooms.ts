import type { Arena } from '../arena.js'
import { defineCase, FORWARDERS } from '../case.js'
import { allReceived, Receiver } from '../clients.js'
import { typedUpdates } from '../history/history.js'
import { settled, until } from '../pace.js'
import { Writer } from '../writer.js'

const ROOMS = 200
const READERS = 4
const UPDATES = 5

export const MANY_ROOMS = defineCase({
  name: `${ROOMS} rooms of ${READERS + 1}`,
  contenders: FORWARDERS,
  metrics: { cpuUs: { label: 'CPU per delivery', unit: 'us', base: 'bare' } },
  run: manyRooms,
})

/** Rooms at once, each with one writer that sends one update a second. */
async function manyRooms(arena: Arena) {
  const contender = await arena.start()
  const updates = typedUpdates(UPDATES)
  const writers: Writer[] = []
  const readers: Receiver[] = []
  for (let i = 0; i < ROOMS; i++) {
    const room = `rooms-${i}`
    for (let j = 0; j < READERS; j++) readers.push(await Receiver.connect(contender, room))
    writers.push(await Writer.connect(contender, room))
  }
  await settled()
  const before = await contender.usage()
  const startMs = performance.now()
  for (const [i, update] of updates.entries()) {
    for (const [w, writer] of writers.entries()) {
      // Spread over the second, as rooms that know nothing of each other are.
      await until(startMs + (i + w / ROOMS) * 1000)
      writer.send(update)
    }
  }
  await allReceived(readers, UPDATES)
  const after = await contender.usage()
  for (const client of [...writers, ...readers]) client.close()
  return { cpuUs: (after.cpuUs - before.cpuUs) / (ROOMS * UPDATES * READERS) }
}
