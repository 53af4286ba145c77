import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Random } from './seed.js'
import { type Action, type Operation, type Seen, unexplained } from './strong-history.js'

/** One key, with all that was asked of it. */
export interface KeyRecord {
  readonly key: string
  readonly operations: Operation[]
  /** Clients that are at it. */
  users: number
}

/** What is kept of a key whose history has been explained, until all is read once more at the end. */
interface Explained {
  readonly key: string
  readonly last: Seen
  /** What may still be applied. */
  readonly open: readonly Action[]
}

/** Keys in use at a time. Few, so that clients meet. */
const KEYS_AT_A_TIME = 3
/** Then a key is left, its history explained and forgotten: memory stays bounded however long a run is. */
const OPERATIONS_PER_KEY = 150
const VIOLATIONS_MAX = 20

/** The keys that clients work on, and the verdict on those they have left. */
export class StrongRecords {
  private made = 0
  private readonly current: KeyRecord[] = []
  /** Left, and some client may still be at it. */
  private readonly leaving: KeyRecord[] = []
  private readonly explained: Explained[] = []
  readonly violations: string[] = []

  /**
   * @param directory where the history of a key goes that cannot be explained
   * @param circumstances what goes there with it
   */
  constructor(
    private readonly prefix: string,
    private readonly directory: string,
    private readonly circumstances: () => object,
  ) {
    for (let i = 0; i < KEYS_AT_A_TIME; i++) this.current.push(this.make())
  }

  get checkedKeys(): number {
    return this.explained.length
  }

  /** A key to work on; it comes back by `giveBack`. */
  take(random: Random): KeyRecord {
    const place = random.below(this.current.length)
    let record = this.current[place]!
    if (record.operations.length >= OPERATIONS_PER_KEY) {
      this.leaving.push(record)
      record = this.make()
      this.current[place] = record
    }
    record.users++
    return record
  }

  giveBack(record: KeyRecord): void {
    record.users--
  }

  /** Those that all clients have left; each is to be read once more, and then judged. */
  left(): KeyRecord[] {
    const free = this.leaving.filter(({ users }) => users === 0)
    for (const record of free) this.leaving.splice(this.leaving.indexOf(record), 1)
    return free
  }

  /** No client works any more. */
  leaveAll(): void {
    this.leaving.push(...this.current.splice(0))
  }

  /** @param last what a read gave that began when nobody worked on it any more; it is in its operations, too */
  judge({ key, operations }: KeyRecord, last: Seen): void {
    const complaint = unexplained(operations)
    if (complaint !== undefined) this.violation(`${key}: ${complaint}`, operations)
    const open = operations.filter(({ ending }) => ending.kind === 'open').map(({ action }) => action)
    this.explained.push({ key, last, open })
  }

  /** Reads all keys once more: what was decided must still be there. */
  async audit(read: (key: string) => Promise<Seen>): Promise<void> {
    for (const { key, last, open } of this.explained) {
      const now = await read(key)
      if (isSame(now, last) || open.some((action) => mayLeadTo(action, last, now))) continue
      this.violation(`${key}: was ${JSON.stringify(last)}, at the end ${JSON.stringify(now)}`, {
        last,
        open,
        now,
      })
    }
  }

  private make(): KeyRecord {
    this.made++
    return { key: `${this.prefix}k${this.made}`, operations: [], users: 0 }
  }

  violation(text: string, evidence: unknown): void {
    if (this.violations.length >= VIOLATIONS_MAX) return
    mkdirSync(this.directory, { recursive: true })
    const file = path.join(this.directory, `violation-${this.violations.length + 1}.json`)
    writeFileSync(file, JSON.stringify({ text, evidence, ...this.circumstances() }, undefined, 1))
    this.violations.push(`${text}\n  all of it is in ${file}`)
  }
}

function isSame(a: Seen, b: Seen): boolean {
  return a.data === b.data && a.version === b.version
}

function mayLeadTo(action: Action, last: Seen, now: Seen): boolean {
  if ((now.version ?? 0) <= (last.version ?? 0)) return false
  return action.kind === 'write' ? action.data === now.data : last.data === now.data
}
