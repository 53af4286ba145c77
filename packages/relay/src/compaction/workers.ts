import { createRequire } from 'node:module'
import { Tinypool } from 'tinypool'
import type { Job } from './worker.js'

/** Heap of the worker thread: what a log that may be rewritten takes as a document, and then some. */
const HEAP_MIB_MAX = 2048
/** How long the thread stays without work. */
const IDLE_MS = 10_000

/**
 * One thread for what would hold up everybody: rewriting logs, and answers from large ones. It starts with
 * its first work. If it dies, that work fails and the next gets a new one.
 */
export class Workers {
  private readonly pool = new Tinypool({
    filename: createRequire(import.meta.url).resolve('@skein/relay/compaction-worker'),
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_MS,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX },
  })

  /** @throws whatever the work met; nothing is lost by it */
  async run(job: Job): Promise<readonly Uint8Array[]> {
    return (await this.pool.run(job)) as readonly Uint8Array[]
  }

  async close(): Promise<void> {
    await this.pool.destroy()
  }
}
