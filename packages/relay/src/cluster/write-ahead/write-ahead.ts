import { RelayError } from '../../errors.js'
import { encodeBatch, encodeGoneBehind, type LatestWrites, latestOf, type StoredWrite } from './batch.js'
import type { Segment } from './segment.js'

/**
 * Puts writes where they stay, and says in the same transaction that all frames up to `appliedNumber` are there.
 * Resolves when it is on disk.
 */
export type Checkpoint = (writes: Iterable<StoredWrite>, appliedNumber: number) => Promise<void>

/**
 * Keys in a segment after which the other one takes its place though there is room: a checkpoint keeps the process
 * for some 10 us a key, and with more nobody would be answered for too long.
 */
const KEYS_MAX = 512

/**
 * Writes go to one of two segments, each batch with one flush. When that is full the other takes its place, while
 * what is in the full one goes to the store behind in one transaction; before that is done it is not written again.
 * One write at a time.
 */
export class WriteAhead {
  /** What only the segment has that is written. */
  private latest: LatestWrites = new Map()
  /** What only the other one has. */
  private leaving: LatestWrites = new Map()
  private checkpointing: Promise<void> = Promise.resolve()
  private appending: Promise<void> | undefined
  private closing: Promise<void> | undefined
  private failure: unknown
  private count = 0

  /** @param lastNumber of all frames; those in the segments are in the store behind */
  constructor(
    private segment: Segment,
    private other: Segment,
    private lastNumber: number,
    private readonly checkpoint: Checkpoint,
  ) {}

  /** Checkpoints that were made. */
  get checkpoints(): number {
    return this.count
  }

  /** What is on disk, but not in the store behind yet. */
  get(key: string): StoredWrite | undefined {
    return this.latest.get(key) ?? this.leaving.get(key)
  }

  /** Some of them twice, in no order. */
  *keys(): Generator<string> {
    for (const write of [...this.latest.values(), ...this.leaving.values()]) {
      if (write.kind === 'record') yield write.key
    }
  }

  /**
   * Puts on disk what `take` hands out at the end of this turn.
   * @throws RelayError `log-write`: whether it is on disk is open, and nothing else is written. `log-closed`
   */
  append(take: () => readonly StoredWrite[]): Promise<void> {
    if (this.appending !== undefined) throw new Error('a write-ahead file takes one write at a time')
    this.appending = this.appendNext(take).finally(() => {
      this.appending = undefined
    })
    return this.appending
  }

  /** Waits for what is under way, puts the rest into the store behind, and closes the files. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.doClose()
    return this.closing
  }

  private async appendNext(take: () => readonly StoredWrite[]): Promise<void> {
    // After the I/O callbacks of this turn: they bring more writes for the same flush.
    await new Promise((resolve) => setImmediate(resolve))
    if (this.failure !== undefined) throw this.failure
    if (this.closing !== undefined) throw new RelayError('log-closed', 'the strong region was closed')
    const writes = take()
    if (writes.length === 0) return
    try {
      await this.put(latestOf(writes))
    } catch (error) {
      this.failure ??= error
      throw error
    }
  }

  private async put(writes: LatestWrites): Promise<void> {
    const payload = encodeBatch(writes)
    if (!this.segment.canTake(payload.length)) return this.putBehind(writes)
    const isEnough = this.latest.size >= KEYS_MAX && this.leaving.size === 0
    if (isEnough || !this.segment.hasRoomFor(payload.length)) await this.turn()
    const number = this.lastNumber + 1
    await this.segment.append({ number, payload })
    this.lastNumber = number
    for (const [key, write] of writes) this.latest.set(key, write)
  }

  /** What no segment takes goes to the store behind, with all that was written before. */
  private async putBehind(writes: LatestWrites): Promise<void> {
    await this.checkpointing
    this.lastNumber++
    await this.save(new Map([...this.latest, ...writes]))
    this.latest = new Map()
    // All of it is behind. A frame says that it went there: it is missed if the store behind is put back.
    const payload = encodeGoneBehind()
    if (!this.segment.hasRoomFor(payload.length)) this.segment.rewind()
    await this.segment.append({ number: this.lastNumber, payload })
  }

  private async turn(): Promise<void> {
    await this.checkpointing
    this.leaving = this.latest
    this.latest = new Map()
    ;[this.segment, this.other] = [this.other, this.segment]
    this.segment.rewind()
    this.checkpointing = this.save(this.leaving).then(() => {
      this.leaving = new Map()
    })
    // The next write tells.
    this.checkpointing.catch((error) => {
      this.failure ??= error
    })
  }

  private async save(writes: LatestWrites): Promise<void> {
    await this.checkpoint(writes.values(), this.lastNumber)
    this.count++
  }

  private async doClose(): Promise<void> {
    await this.appending?.catch(() => {})
    await this.checkpointing.catch(() => {})
    // After a failure nothing is written; and what a full disk does not take now is in the files at the next start.
    if (this.failure === undefined && this.latest.size > 0) await this.save(this.latest).catch(() => {})
    await Promise.all([this.segment.close(), this.other.close()])
  }
}
