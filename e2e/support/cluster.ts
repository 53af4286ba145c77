import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type ClusterRelay, clusterOn } from '../../demo/dist/start/cluster.js'
import { test as base } from './agents.js'
import { TestProcess } from './process.js'

const RELAY = path.resolve(import.meta.dirname, '../../packages/relay/dist/cli.js')
const DEVICES = path.resolve(import.meta.dirname, '../../demo/dist/devices/main.js')

/** Three relay processes that decide together, as the demo starts them. */
export class ClusterProcess {
  urls: readonly string[] = []
  private readonly data = mkdtempSync(path.join(tmpdir(), 'skein-cluster-'))
  private relays: readonly ClusterRelay[] = []
  private processes: TestProcess[] = []

  async start(): Promise<this> {
    this.relays = clusterOn(await freePorts(3), this.data)
    this.urls = this.relays.map(({ url }) => url)
    await this.startAll()
    return this
  }

  /** Starts all of them, again on the same ports and data if they ran before and were killed. */
  async startAll(): Promise<void> {
    this.processes = this.relays.map(({ args }) => new TestProcess(RELAY, args))
    await Promise.all(this.processes.map((relay) => relay.printed(/ws:\/\/\S+/)))
  }

  /** Ends relay `index` without giving it a chance to do anything. */
  async kill(index: number): Promise<void> {
    await this.processes[index]?.end('SIGKILL')
  }

  async dispose(): Promise<void> {
    await Promise.all(this.processes.map((relay) => relay.end('SIGKILL')))
    rmSync(this.data, { recursive: true, force: true })
  }
}

interface Fixtures {
  cluster: ClusterProcess
  devices: TestProcess
}

/** A cluster of three, and the simulated devices in the space under test. */
export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names in the pattern
  cluster: async ({}, use) => {
    const cluster = await new ClusterProcess().start()
    await use(cluster)
    await cluster.dispose()
  },
  devices: async ({ cluster, space }, use) => {
    const relays = cluster.urls.flatMap((url) => ['--relay', url])
    const devices = new TestProcess(DEVICES, [...relays, '--space', space])
    await devices.printed(/^ready/m)
    await use(devices)
    await devices.end('SIGTERM')
  },
})

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  // All at once, so that none is handed out twice.
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            resolve(typeof address === 'object' && address ? address.port : 0)
          })
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
