import { Receiver, settled, typedUpdates, until, Writer } from './clients.js'
import type { Contender } from './contender.js'

/** Rooms at once, each with one writer and four readers: CPU of the server per delivered update, in microseconds. */
export async function manyRooms(
  contender: Contender,
  rooms: number,
  updatesPerRoom: number,
): Promise<number> {
  const updates = typedUpdates(updatesPerRoom)
  const writers: Writer[] = []
  const readers: Receiver[] = []
  for (let i = 0; i < rooms; i++) {
    const room = `${contender.url}/rooms-${i}`
    for (let j = 0; j < READERS; j++) readers.push(await Receiver.connect(room))
    writers.push(await Writer.connect(room, contender.name === 'skein'))
  }
  await settled()
  const before = await contender.usage()
  const startMs = performance.now()
  for (let i = 0; i < updatesPerRoom; i++) {
    for (let w = 0; w < rooms; w++) {
      // Spread over the second, as rooms that know nothing of each other are.
      await until(startMs + (i + w / rooms) * 1000)
      writers[w]!.send(updates[i]!)
    }
  }
  while (readers.some(({ received }) => received < updatesPerRoom)) await settled()
  const after = await contender.usage()
  for (const client of [...writers, ...readers]) client.close()
  return (after.cpuUs - before.cpuUs) / (rooms * updatesPerRoom * READERS)
}

const READERS = 4

/** Resident memory of the server per idle connection, in bytes, before a collection is asked for. */
export async function idleMemory(contender: Contender, connections: number): Promise<number> {
  const before = await contender.usage('collect')
  const readers: Receiver[] = []
  for (let i = 0; i < connections; i++) {
    readers.push(await Receiver.connect(`${contender.url}/idle-${Math.floor(i / 2)}`))
  }
  await settled()
  const after = await contender.usage()
  for (const reader of readers) reader.close()
  return (after.rssBytes - before.rssBytes) / connections
}
