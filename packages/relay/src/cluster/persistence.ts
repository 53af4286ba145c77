import type { AcceptorWrite } from '@skein/paxos'
import type { ClusterStorage } from './storage.js'

/**
 * Group commit of an acceptor: one flush is under way at a time, and what comes meanwhile shares the next.
 * After a flush that failed nothing is written any more.
 */
export class Persistence {
  private waiting: AcceptorWrite[] = []
  private isWriting = false
  private isStopped = false

  /**
   * @param persisted everything up to this number is on disk
   * @param failed the disk refused a write
   */
  constructor(
    private readonly storage: ClusterStorage,
    private readonly persisted: (number: number, tookMs: number, writes: number) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  add(writes: readonly AcceptorWrite[]): void {
    if (this.isStopped || writes.length === 0) return
    this.waiting.push(...writes)
    if (!this.isWriting) void this.run()
  }

  stop(): void {
    this.isStopped = true
    this.waiting = []
  }

  private async run(): Promise<void> {
    this.isWriting = true
    try {
      while (this.waiting.length > 0) await this.flush()
    } catch (error) {
      this.stop()
      this.failed(error)
    } finally {
      this.isWriting = false
    }
  }

  private async flush(): Promise<void> {
    const beganMs = performance.now()
    let group: readonly AcceptorWrite[] = []
    await this.storage.write(() => {
      group = this.waiting
      this.waiting = []
      return group
    })
    const last = group.at(-1)
    if (last !== undefined && !this.isStopped) {
      this.persisted(last.number, performance.now() - beganMs, group.length)
    }
  }
}
