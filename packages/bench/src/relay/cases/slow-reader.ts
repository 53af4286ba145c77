import * as Y from 'yjs'
import type { Arena } from '../arena.js'
import { defineCase, FORWARDERS } from '../case.js'
import { allReceived, Receiver, Replica } from '../clients.js'
import { clocksOf } from '../history/history.js'
import { Random } from '../history/random.js'
import { settled } from '../pace.js'
import { Writer } from '../writer.js'

const READERS = 10
const UPDATE_BYTES = 16 * 1024
const MIB = 1024 * 1024
const UPDATES = (50 * MIB) / UPDATE_BYTES
/** 1 MiB. */
const UPDATES_AHEAD = 64
const ROOM = 'slow-reader'
const ITEMS = 'items'

export const SLOW_READER = defineCase({
  name: `50 MiB to ${READERS}, beside one that stops reading`,
  contenders: FORWARDERS,
  metrics: {
    heldMiB: { label: 'memory held for it', unit: 'MiB', base: 'bare' },
    peakMiB: { label: 'peak memory more with it', unit: 'MiB', base: 'bare' },
    aloneMs: { label: 'time of the others without it', unit: 'ms', base: 'bare' },
    besideMs: { label: 'time of the others with it', unit: 'ms', base: 'bare' },
    missing: { label: 'updates it lacks after resuming', unit: '', base: undefined },
  },
  async run(arena) {
    const burst = new Burst()
    const alone = await send(arena, burst, false)
    const beside = await send(arena, burst, true)
    return {
      heldMiB: beside.heldMiB - alone.heldMiB,
      peakMiB: beside.peakMiB - alone.peakMiB,
      aloneMs: alone.tookMs,
      besideMs: beside.tookMs,
      missing: beside.missing,
    }
  },
})

/** The same run with and without a reader that hangs, each on a server of its own. */
async function send(arena: Arena, burst: Burst, withSlowReader: boolean) {
  const contender = await arena.start()
  const readers: Receiver[] = []
  for (let i = 0; i < READERS; i++) readers.push(await Receiver.connect(contender, ROOM))
  const slow = withSlowReader ? await Replica.connect(contender, ROOM) : undefined
  const writer = await Writer.connect(contender, ROOM)
  await settled()
  slow?.pause()

  const startMs = performance.now()
  for (const [i, update] of burst.updates.entries()) {
    // Not further ahead of those who read: what waits for them would hide what waits for the one who does not.
    await allReceived(readers, i - UPDATES_AHEAD)
    await writer.drained()
    writer.send(update)
  }
  await allReceived(readers, UPDATES)
  const tookMs = performance.now() - startMs
  await writer.finished()
  // Twice: memory outside the heap is only let go of by the second. What is left is held, not garbage.
  await contender.usage('collect')
  const { rssBytes, rssMaxBytes } = await contender.usage('collect')

  const missing = slow === undefined ? 0 : await missingAfterResuming(slow, burst)
  for (const client of [...readers, writer]) client.close()
  return { tookMs, heldMiB: rssBytes / MIB, peakMiB: rssMaxBytes / MIB, missing }
}

/** Lets the reader go on until it has everything, is closed, or nothing comes any more. */
async function missingAfterResuming(slow: Replica, burst: Burst): Promise<number> {
  let heardMs = performance.now()
  slow.doc.on('update', () => {
    heardMs = performance.now()
  })
  slow.resume()
  while (clocksOf(slow.doc) < UPDATES && !slow.closed && performance.now() - heardMs < SILENCE_MS)
    await settled()
  slow.close()
  return burst.missingIn(slow.doc)
}

const SILENCE_MS = 10_000

/** Large updates of bytes that do not compress, one item each. */
class Burst {
  readonly updates: Uint8Array[] = []
  private readonly doc = new Y.Doc()

  constructor() {
    const random = new Random(1)
    this.doc.on('update', (update: Uint8Array) => this.updates.push(update))
    const items = this.doc.getArray<Uint8Array>(ITEMS)
    for (let i = 0; i < UPDATES; i++) {
      items.push([Uint8Array.from({ length: UPDATE_BYTES }, () => random.below(256))])
    }
  }

  missingIn(replica: Y.Doc): number {
    const theirs = replica.getArray<Uint8Array>(ITEMS).toArray()
    const ours = this.doc.getArray<Uint8Array>(ITEMS).toArray()
    return ours.filter((bytes, i) => theirs[i] === undefined || Buffer.compare(bytes, theirs[i]) !== 0).length
  }
}
