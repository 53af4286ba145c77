/**
 * One contender, alone in its process, so that its CPU time and memory can be told from everybody
 * else's. Started by `contender.ts`; speaks with it over IPC.
 */
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
    rssMaxBytes: process.resourceUsage().maxRSS * 1024,
  })
})
// A bench that was interrupted leaves no server behind.
process.on('disconnect', () => process.exit())

function reply(message: Reply): void {
  process.send!(message)
}
