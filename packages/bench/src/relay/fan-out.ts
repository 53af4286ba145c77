import { Receiver, settled, typedUpdates, until, Writer } from './clients.js'
import type { Contender } from './contender.js'

export interface FanOutResult {
  /** CPU time of the server per update and receiver, in microseconds. */
  readonly cpuUsPerDelivery: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly deliveriesPerSecond: number
  /** The largest resident size of the server's process so far. */
  readonly rssMaxMiB: number
}

/**
 * One writer, `receivers` readers in one room. With a rate (updates a second) it measures latency; without
 * one the writer sends as fast as its socket takes.
 */
export async function fanOut(
  contender: Contender,
  receivers: number,
  updateCount: number,
  ratePerSecond: number | undefined,
): Promise<FanOutResult> {
  const room = `${contender.url}/fan-out-${Math.random()}`
  const updates = typedUpdates(updateCount)
  const sentAtMs: number[] = []
  const latenciesMs: number[] = []
  const note = (clock: number, count: number) => {
    const now = performance.now()
    for (let i = clock; i < clock + count; i++) latenciesMs.push(now - sentAtMs[i]!)
  }
  const readers: Receiver[] = []
  for (let i = 0; i < receivers; i++)
    readers.push(await Receiver.connect(room, i % 10 === 0 ? note : undefined))
  const writer = await Writer.connect(room, contender.name === 'skein')
  await settled()

  const before = await contender.usage()
  const startMs = performance.now()
  for (let i = 0; i < updateCount; i++) {
    if (ratePerSecond !== undefined) await until(startMs + (i * 1000) / ratePerSecond)
    else if (i % 50 === 0) await drained(writer)
    sentAtMs[i] = performance.now()
    writer.send(updates[i]!)
  }
  while (readers.some(({ received }) => received < updateCount)) await settled()
  if (contender.name === 'skein') while (writer.acknowledged < updateCount) await settled()
  const tookMs = performance.now() - startMs
  const after = await contender.usage()

  for (const reader of readers) reader.close()
  writer.close()
  latenciesMs.sort((a, b) => a - b)
  const deliveries = updateCount * receivers
  return {
    cpuUsPerDelivery: (after.cpuUs - before.cpuUs) / deliveries,
    p50Ms: latenciesMs[Math.floor(latenciesMs.length * 0.5)]!,
    p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)]!,
    deliveriesPerSecond: (deliveries * 1000) / tookMs,
    rssMaxMiB: after.rssMaxBytes / 1024 / 1024,
  }
}

async function drained(writer: Writer): Promise<void> {
  do await settled()
  while (writer.bufferedBytes > 64 * 1024)
}
