import * as Y from 'yjs'
import { RawClient, type Received } from './raw-client.js'
import type { Random } from './seed.js'
import { type After, pause } from './until.js'

/** How long a client waits before it tries again, at most: all at once, as after a relay's death. */
const RETRY_MS_MAX = 400

/** The least that is a client: it keeps a document up to date and comes back when its connection ends. */
export class ReplicaClient {
  readonly doc = new Y.Doc()
  /** Whether the relay has answered its question on this connection. */
  synced = false
  private client: RawClient | undefined
  private left = false

  constructor(
    private readonly space: string,
    private readonly random: Random,
  ) {}

  join(after: After, url: string): void {
    after(() => this.leave())
    void this.stay(url)
  }

  leave(): void {
    this.left = true
    this.client?.terminate()
    this.doc.destroy()
  }

  private async stay(url: string): Promise<void> {
    while (!this.left) {
      const client = new RawClient(url, this.space, { onMessage: (message) => this.receive(message) })
      this.client = client
      if (await client.opened) {
        client.send({ type: 'sync-step-1', stateVector: Y.encodeStateVector(this.doc) })
      }
      await client.closed
      this.synced = false
      await pause(this.random.below(RETRY_MS_MAX))
    }
  }

  private receive(message: Received): void {
    if (message.type !== 'sync-step-2' && message.type !== 'update') return
    Y.applyUpdate(this.doc, message.update)
    if (message.type === 'sync-step-2') this.synced = true
  }
}
