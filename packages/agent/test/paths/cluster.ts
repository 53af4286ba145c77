import path from 'node:path'
import { createRelay, type Relay } from '@skein/relay'
import { onTestFinished } from 'vitest'
import { freePort, temporaryDirectory } from '../helpers.js'

/** Relays of one cluster, by their place in the list. */
export class Cluster {
  private readonly relays: (Relay | undefined)[] = []

  private constructor(
    readonly urls: readonly string[],
    private readonly directory: string,
  ) {}

  /** It ends with the test. */
  static async start(count = 3): Promise<Cluster> {
    const urls: string[] = []
    while (urls.length < count) {
      const url = `ws://127.0.0.1:${await freePort()}`
      if (!urls.includes(url)) urls.push(url)
    }
    const cluster = new Cluster(urls, temporaryDirectory())
    onTestFinished(async () => {
      await Promise.all(urls.map((_url, index) => cluster.stop(index)))
    })
    await Promise.all(urls.map((_url, index) => cluster.startOne(index)))
    return cluster
  }

  async startOne(index: number): Promise<void> {
    const others = this.urls.map((url, i) => [`r${i}`, url] as const).filter((_entry, i) => i !== index)
    this.relays[index] = await createRelay({
      port: Number(new URL(this.urls[index]!).port),
      dataDir: path.join(this.directory, `r${index}`),
      cluster: { id: `r${index}`, peers: Object.fromEntries(others) },
    })
  }

  async stop(index: number): Promise<void> {
    const relay = this.relays[index]
    this.relays[index] = undefined
    await relay?.close()
  }

  /** Which of them a path leads to. */
  indexOf(url: string | undefined): number {
    return this.urls.findIndex((relay) => url?.startsWith(relay))
  }
}
