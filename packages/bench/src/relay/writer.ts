import type { Contender } from './contender.js'
import { Link } from './link.js'
import { settled } from './pace.js'

/** A client that sends updates; to one that acknowledges numbered, and it counts the acknowledgements. */
export class Writer {
  /** Updates up to this number are acknowledged. */
  acknowledged = 0
  sent = 0
  private rejected: string | undefined
  private closed = false
  private link!: Link

  private constructor(private readonly numbered: boolean) {}

  static async connect(contender: Contender, room: string): Promise<Writer> {
    const writer = new Writer(contender.acknowledges)
    writer.link = await Link.open(
      contender,
      room,
      (message) => {
        if (message.type === 'ack') writer.acknowledged = message.to
        if (message.type === 'reject') writer.rejected = message.reason
      },
      { numbered: contender.acknowledges },
    )
    void writer.link.closed.then(() => {
      writer.closed = true
    })
    return writer
  }

  send(update: Uint8Array): void {
    this.sent++
    this.link.send(
      this.numbered
        ? { type: 'numbered-update', seq: this.sent, answersStep1: false, update }
        : { type: 'update', update },
    )
  }

  /** Sends as fast as the server takes it, without piling up memory here. */
  async sendAll(updates: readonly Uint8Array[]): Promise<void> {
    for (const [i, update] of updates.entries()) {
      if (i % SEND_TOGETHER === 0) await this.drained()
      this.send(update)
    }
  }

  /** Waits until little of what was sent is still on this side. */
  async drained(): Promise<void> {
    do {
      await settled()
      this.check()
    } while (this.link.bufferedBytes > BUFFERED_BYTES_MAX)
  }

  /** Waits until the server has taken everything, and acknowledged it if it does so. */
  async finished(): Promise<void> {
    if (!this.numbered) return this.link.taken()
    await this.acknowledges(this.sent)
  }

  /** Waits until so many updates are acknowledged. */
  async acknowledges(count: number): Promise<void> {
    while (this.acknowledged < count) {
      await settled()
      this.check()
    }
  }

  /** Resolves when the connection is closed; nothing is received after that. */
  get ended(): Promise<void> {
    return this.link.closed
  }

  close(): void {
    this.link.close()
  }

  private check(): void {
    if (this.rejected !== undefined) throw new Error(`an update was rejected: ${this.rejected}`)
    if (this.closed) throw new Error('the server closed the writer')
  }
}

const SEND_TOGETHER = 50
const BUFFERED_BYTES_MAX = 64 * 1024
