/**
 * One contender, alone in its process, so that its CPU time and memory can be told from everybody
 * else's. Started by `contender.ts`; speaks with it over IPC.
 */
import { readFileSync } from 'node:fs'
import type { ContenderName, Reply, Request } from './contender.js'
import type { Server } from './servers/server.js'

// Imported on demand, so that no contender pays for the modules of another.
const STARTERS: Record<ContenderName, (dataDir: string) => Promise<Server>> = {
  bare: async () => (await import('./servers/bare.js')).startBare(),
  blob: async (dataDir) => (await import('./servers/blob.js')).startBlob(dataDir),
  stock: async () => (await import('./servers/stock.js')).startStock(),
  hocuspocus: async () => (await import('./servers/hocuspocus.js')).startHocuspocus(),
  skein: async (dataDir) => (await import('./servers/skein.js')).startSkein(dataDir),
}

const [name, dataDir] = process.argv.slice(2) as [ContenderName, string]
const server = await STARTERS[name](dataDir)
reply({ port: server.port })

process.on('message', ({ ask }: Request) => {
  if (ask === 'stop') {
    void server.stop().then(() => process.exit())
    return
  }
  if (ask === 'collect') globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  reply({
    cpuUs: user + system,
    rssBytes: process.memoryUsage.rss(),
    rssMaxBytes: peakMemory(),
  })
})
// A bench that was interrupted leaves no server behind.
process.on('disconnect', () => process.exit())

/**
 * The largest resident size of this process, in bytes. Not `maxRSS` where that can be helped: on Linux a
 * child starts with the size of the process that forked it, which is large in a benchmark.
 */
function peakMemory(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  if (peak === null) throw new Error('/proc/self/status tells no VmHWM')
  return Number(peak[1]) * 1024
}

function reply(message: Reply): void {
  process.send!(message)
}
