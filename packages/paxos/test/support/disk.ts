import {
  type AcceptorRecord,
  type AcceptorStore,
  type AcceptorWrite,
  type Configuration,
  compareKeys,
} from '../../src/index.js'

/** What a member has written: what a crash leaves, and what it takes. */
export class Disk implements AcceptorStore {
  readonly records = new Map<string, AcceptorRecord>()
  incarnation = 0
  private unflushed: AcceptorWrite[] = []

  constructor(public configuration: Configuration) {}

  get(key: string): AcceptorRecord | undefined {
    return this.records.get(key)
  }

  keys(after: string, limit: number): readonly string[] {
    const behind = [...this.records.keys()].filter((key) => compareKeys(key, after) > 0)
    return behind.sort(compareKeys).slice(0, limit)
  }

  write(writes: readonly AcceptorWrite[]): void {
    this.unflushed.push(...writes)
  }

  /** Returns the number of the last write that is on disk now; undefined where nothing waited. */
  flush(): number | undefined {
    const writes = this.unflushed.splice(0)
    for (const write of writes) {
      if (write.kind === 'configuration') this.configuration = write.configuration
      else this.records.set(write.key, write.record)
    }
    return writes.at(-1)?.number
  }

  crash(): void {
    this.unflushed = []
  }
}
