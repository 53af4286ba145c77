import { type ChunkMessage, encodeFrame, LIMITS, ProtocolError } from '@skein/protocol'

/** Bytes handed to a connection at a time; then it is asked whether it takes more. */
const BURST_BYTES = 1024 * 1024

/**
 * Frames on their way to one peer that does not get them all at once: as many as its connection takes,
 * large ones in chunks if it understands them.
 */
export class OutgoingFrames {
  private readonly frames: Uint8Array[] = []
  /** Bytes of the first one that were given out as chunks. */
  private offset = 0

  get isEmpty(): boolean {
    return this.frames.length === 0
  }

  /** Whether the next one would go in chunks. */
  get nextIsLarge(): boolean {
    return (this.frames[0]?.length ?? 0) > LIMITS.chunkBytesMax
  }

  add(frames: readonly Uint8Array[]): void {
    this.frames.push(...frames)
  }

  /** The next ones, about a MiB of them. */
  take(inChunks: boolean): Uint8Array[] {
    const taken: Uint8Array[] = []
    for (let bytes = 0; bytes < BURST_BYTES && this.frames.length > 0; ) {
      const next = inChunks ? this.nextInChunks() : this.frames.shift()!
      taken.push(next)
      bytes += next.length
    }
    return taken
  }

  private nextInChunks(): Uint8Array {
    const frame = this.frames[0]!
    const total = frame.length
    if (total <= LIMITS.chunkBytesMax) return this.frames.shift()!
    const { offset } = this
    const part = frame.subarray(offset, offset + LIMITS.chunkBytesMax)
    this.offset += part.length
    if (this.offset === total) {
      this.frames.shift()
      this.offset = 0
    }
    return encodeFrame({ type: 'chunk', total, offset, part })
  }
}

/** Bytes that several users share. */
export class ByteBudget {
  private used = 0

  constructor(private readonly bytesMax: number) {}

  /** Takes so many; false if there are not as many left, and then none. */
  take(bytes: number): boolean {
    if (this.used + bytes > this.bytesMax) return false
    this.used += bytes
    return true
  }

  give(bytes: number): void {
    this.used -= bytes
  }
}

/** There is no room for a message in chunks now. */
export class BudgetExceeded extends Error {}

/** Puts a peer's chunks together. What is announced is not allocated before it is there. */
export class Reassembly {
  private parts: Uint8Array[] = []
  private bytes = 0
  private total = 0

  constructor(
    private readonly bytesMax: number,
    private readonly budget: ByteBudget,
  ) {}

  /**
   * The message, when its last part has come.
   * @throws ProtocolError where the part is not the next one, or the message too large
   * @throws BudgetExceeded
   */
  add({ total, offset, part }: ChunkMessage): Uint8Array | undefined {
    if (total > this.bytesMax) {
      throw new ProtocolError('too-large', `message of ${total} bytes, at most ${this.bytesMax}`)
    }
    if (offset !== this.bytes || (offset > 0 && total !== this.total)) {
      throw new ProtocolError('malformed', `chunk at ${offset} of ${total}, expected at ${this.bytes}`)
    }
    if (!this.budget.take(part.length)) throw new BudgetExceeded('too many large messages are under way')
    this.total = total
    this.bytes += part.length
    // A copy: the view would keep the socket's whole receive buffer alive.
    this.parts.push(part.slice())
    if (this.bytes < total) return undefined
    const message = new Uint8Array(total)
    let at = 0
    for (const next of this.parts) {
      message.set(next, at)
      at += next.length
    }
    this.clear()
    return message
  }

  /** Gives back what it holds. */
  clear(): void {
    this.budget.give(this.bytes)
    this.parts = []
    this.bytes = 0
  }
}
