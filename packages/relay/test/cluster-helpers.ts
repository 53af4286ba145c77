import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import path from 'node:path'
import type { Operation, Outcome } from '@skein/paxos'
import { onTestFinished } from 'vitest'
import { createRelay, type Relay, type RelayEvent, type RelayOptions } from '../src/index.js'
import { until } from './helpers.js'

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
  return ports
}

/** Relays r1, r2, ... that know each other. Each can be stopped and started again on its own. */
export class TestCluster {
  readonly events: Record<string, RelayEvent[]> = {}
  readonly relays = new Map<string, Relay>()

  private constructor(
    readonly urls: Record<string, string>,
    private readonly directory: string | undefined,
  ) {
    onTestFinished(async () => {
      await Promise.all([...this.relays.keys()].map((id) => this.stop(id)))
    })
  }

  /** @param directory of the members' data directories; in memory without */
  static async start(size: number, directory?: string): Promise<TestCluster> {
    const cluster = await TestCluster.prepare(size, directory)
    for (const id of Object.keys(cluster.urls)) await cluster.startMember(id)
    await cluster.formed()
    return cluster
  }

  static async prepare(size: number, directory?: string): Promise<TestCluster> {
    const ports = await freePorts(size)
    const urls = Object.fromEntries(ports.map((port, i) => [`r${i + 1}`, `ws://127.0.0.1:${port}`]))
    return new TestCluster(urls, directory)
  }

  dataDir(id: string): string {
    return path.join(this.directory!, id)
  }

  async startMember(id: string, options: RelayOptions = {}): Promise<Relay> {
    this.events[id] ??= []
    const peers = Object.fromEntries(Object.entries(this.urls).filter(([other]) => other !== id))
    const relay = await createRelay({
      port: Number(new URL(this.urls[id]!).port),
      ...(this.directory === undefined ? {} : { dataDir: this.dataDir(id) }),
      cluster: { id, peers },
      onEvent: (event) => this.events[id]!.push(event),
      ...options,
    })
    this.relays.set(id, relay)
    return relay
  }

  async stop(id: string): Promise<void> {
    const relay = this.relays.get(id)
    this.relays.delete(id)
    await relay?.close()
  }

  relay(id: string): Relay {
    return this.relays.get(id)!
  }

  /** Waits until all members that run take part. */
  async formed(): Promise<void> {
    for (const [id, relay] of this.relays) await until(`${id} is formed`, () => relay.cluster.formed)
  }

  hasEvent(id: string, kind: RelayEvent['kind']): boolean {
    return this.events[id]!.some((event) => event.kind === kind)
  }
}

let sequence = 0

export function writeOf(data: string | undefined, client = 'test'): Operation {
  const id = { client, sequence: ++sequence }
  return { kind: 'write', id, since: 0, settled: 0, condition: undefined, data, keepsFence: false }
}

export async function write(relay: Relay, key: string, data: string, withinMs = 10_000): Promise<Outcome> {
  return relay.strong.execute(key, writeOf(data), { withinMs })
}

/** The decided value, by a linearizable read. */
export async function read(relay: Relay, key: string, withinMs = 10_000): Promise<string | undefined> {
  const outcome = await relay.strong.execute(key, { kind: 'read' }, { withinMs })
  if (outcome.kind !== 'value') throw new Error(`the read ended ${outcome.kind}`)
  return outcome.current.value
}
