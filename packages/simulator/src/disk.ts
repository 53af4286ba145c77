import {
  type AcceptorRecord,
  type AcceptorStore,
  type AcceptorWrite,
  type Configuration,
  compareKeys,
} from '@skein/paxos'

/** What happens with each write that has reached the disk. */
export type WroteListener = (write: AcceptorWrite) => void

/** A member's disk. Holds what was flushed; writes that were not are lost with the process. */
export class Disk implements AcceptorStore {
  private readonly records = new Map<string, AcceptorRecord>()
  private flushing: AcceptorWrite[] = []
  private waiting: AcceptorWrite[] = []
  incarnation = 0
  isFull = false
  configuration: Configuration

  constructor(
    configuration: Configuration,
    private readonly wrote: WroteListener,
  ) {
    this.configuration = configuration
  }

  get(key: string): AcceptorRecord | undefined {
    return this.records.get(key)
  }

  keys(after: string, limit: number): readonly string[] {
    return this.allKeys()
      .filter((key) => compareKeys(key, after) > 0)
      .sort(compareKeys)
      .slice(0, limit)
  }

  allKeys(): string[] {
    return [...this.records.keys()]
  }

  get isFlushing(): boolean {
    return this.flushing.length > 0
  }

  add(writes: readonly AcceptorWrite[]): void {
    this.waiting.push(...writes)
  }

  /** Begins to flush all that waits; false where nothing does. */
  begin(): boolean {
    if (this.isFlushing || this.waiting.length === 0) return false
    this.flushing = this.waiting
    this.waiting = []
    return true
  }

  /** The flush has ended. Returns the number up to which everything is on disk. */
  end(): number {
    const { number } = this.flushing.at(-1)!
    for (const write of this.flushing) this.write(write)
    this.flushing = []
    return number
  }

  /** The process ends. Of a flush under way a part may be there, the earlier writes rather than the later. */
  crash(fraction: number): void {
    const kept = Math.floor(this.flushing.length * fraction)
    for (const write of this.flushing.slice(0, kept)) this.write(write)
    this.flushing = []
    this.waiting = []
  }

  erase(): void {
    this.records.clear()
  }

  private write(write: AcceptorWrite): void {
    if (write.kind === 'record') this.records.set(write.key, write.record)
    else this.configuration = write.configuration
    this.wrote(write)
  }
}
