import type { Arena } from '../arena.js'
import { defineCase, FORWARDERS, type Metric } from '../case.js'
import { allReceived, Receiver } from '../clients.js'
import { typedUpdates } from '../history/history.js'
import { settled, until } from '../pace.js'
import { Writer } from '../writer.js'

const CPU: Metric = { label: 'CPU per delivery', unit: 'us', base: 'bare' }
const P50: Metric = { label: 'p50 latency', unit: 'ms', base: 'bare' }
const THROUGHPUT: Metric = { label: 'deliveries', unit: '/s', base: 'bare', moreIsBetter: true }
const MEMORY: Metric = { label: 'peak memory', unit: 'MiB', base: 'bare' }

const MODEST_RATE = 50
const MODEST_UPDATES = 200

export const FAN_OUT = [
  defineCase({
    name: '1 to 10, 50 updates/s',
    contenders: FORWARDERS,
    metrics: { cpuUs: CPU },
    run: (arena) => fanOut(arena, 10, MODEST_UPDATES, MODEST_RATE),
  }),
  defineCase({
    name: '1 to 10, flat out',
    contenders: FORWARDERS,
    metrics: { cpuUs: CPU },
    run: (arena) => fanOut(arena, 10, 10_000, undefined),
  }),
  defineCase({
    name: '1 to 100, 50 updates/s',
    contenders: FORWARDERS,
    metrics: { cpuUs: CPU, p50Ms: P50 },
    run: (arena) => fanOut(arena, 100, MODEST_UPDATES, MODEST_RATE),
  }),
  defineCase({
    name: '1 to 100, flat out',
    contenders: FORWARDERS,
    metrics: { cpuUs: CPU, deliveriesPerSecond: THROUGHPUT },
    run: (arena) => fanOut(arena, 100, 2_000, undefined),
  }),
  defineCase({
    name: '1 to 500, flat out',
    contenders: FORWARDERS,
    metrics: { cpuUs: CPU, rssMaxMiB: MEMORY },
    run: (arena) => fanOut(arena, 500, 600, undefined),
  }),
]

/**
 * One writer, `receivers` readers in one room. With a rate (updates a second) it measures latency; without
 * one the writer sends as fast as its socket takes.
 */
async function fanOut(
  arena: Arena,
  receivers: number,
  updateCount: number,
  ratePerSecond: number | undefined,
) {
  const contender = await arena.start()
  const updates = typedUpdates(updateCount)
  const sentAtMs: number[] = []
  const latenciesMs: number[] = []
  const note = (clock: number, count: number) => {
    const now = performance.now()
    for (let i = clock; i < clock + count; i++) latenciesMs.push(now - sentAtMs[i]!)
  }
  const readers: Receiver[] = []
  for (let i = 0; i < receivers; i++) {
    readers.push(await Receiver.connect(contender, ROOM, i % 10 === 0 ? note : undefined))
  }
  const writer = await Writer.connect(contender, ROOM)
  await settled()

  const before = await contender.usage()
  const startMs = performance.now()
  for (const [i, update] of updates.entries()) {
    if (ratePerSecond !== undefined) await until(startMs + (i * 1000) / ratePerSecond)
    else if (i % 50 === 0) await writer.drained()
    sentAtMs[i] = performance.now()
    writer.send(update)
  }
  await allReceived(readers, updateCount)
  const tookMs = performance.now() - startMs
  await writer.finished()
  const after = await contender.usage()

  for (const client of [...readers, writer]) client.close()
  latenciesMs.sort((a, b) => a - b)
  const deliveries = updateCount * receivers
  return {
    cpuUs: (after.cpuUs - before.cpuUs) / deliveries,
    p50Ms: latenciesMs[Math.floor(latenciesMs.length / 2)]!,
    deliveriesPerSecond: (deliveries * 1000) / tookMs,
    rssMaxMiB: after.rssMaxBytes / 1024 / 1024,
  }
}

const ROOM = 'fan-out'
