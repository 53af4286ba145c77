import type { Random } from './seed.js'
import type { Reply } from './strong-client.js'
import type { Endpoint } from './strong-endpoints.js'
import type { Action, Ending, Seen } from './strong-history.js'
import type { KeyRecord, StrongRecords } from './strong-records.js'
import { pause } from './until.js'

/** At most between two operations of one client. */
const PAUSE_MS_MAX = 80
const ATTEMPTS_MAX = 6

/** How operations ended, by kind, and what their requests met on the way. */
export type Tally = Record<
  Ending['kind'] | 'unavailable' | 'lost' | 'unknown' | 'forgotten' | 'repeated' | 'resolved' | 'aborted',
  number
>

export function newTally(): Tally {
  return {
    ...{ value: 0, done: 0, conflict: 0, open: 0, unavailable: 0 },
    ...{ lost: 0, unknown: 0, forgotten: 0, repeated: 0, resolved: 0, aborted: 0 },
  }
}

/** A client that reads and writes keys until it is stopped, over whichever relay, and records all of it. */
export class LoadClient {
  private stopped = false
  private operations = 0
  /** What it last saw of keys: what it compares with. */
  private readonly known = new Map<string, Seen>()

  constructor(
    readonly name: string,
    private readonly endpoint: Endpoint,
    private readonly records: StrongRecords,
    private readonly tally: Tally,
    private readonly random: Random,
  ) {}

  async run(): Promise<void> {
    while (!this.stopped) {
      const record = this.records.take(this.random)
      try {
        await this.operate(record)
      } catch (error) {
        // An answer that should not be is as bad as a wrong one, and the run goes on.
        this.records.violation(`${record.key}: ${error}`, record.operations)
      } finally {
        this.records.giveBack(record)
      }
      await pause(this.random.below(PAUSE_MS_MAX))
    }
  }

  stop(): void {
    this.stopped = true
  }

  private async operate(record: KeyRecord): Promise<void> {
    const id = `${this.name}-${++this.operations}`
    const action = this.choose(record.key, id)
    const calledMs = performance.now()
    const ending = await this.attempt(record, action, id)
    this.tally[ending?.kind ?? 'unavailable']++
    if (!this.endpoint.repeats && action.kind === 'write' && ending?.kind !== 'done') {
      // It may have settled an attempt of its own before it told the outcome.
      record.operations.push({ client: `${id}-settles`, calledMs, ...NEVER_ENDS, action: { kind: 'touch' } })
    }
    if (ending === undefined) return
    const seen = seenBy(action, ending)
    if (this.known.size > KNOWN_MAX) this.known.clear()
    if (seen !== undefined) this.known.set(record.key, seen)
    const returnedMs = ending.kind === 'open' ? Number.POSITIVE_INFINITY : performance.now()
    record.operations.push({ client: id, action, calledMs, returnedMs, ending })
  }

  private choose(key: string, id: string): Action {
    const known = this.known.get(key)
    const data = JSON.stringify(id)
    const dice = this.random.next()
    if (dice < 0.35) return { kind: 'read' }
    if (dice < 0.7 && known?.version !== undefined && known.data !== undefined) {
      return { kind: 'write', data, condition: { kind: 'version', version: known.version } }
    }
    if (dice < 0.8) return { kind: 'write', data, condition: { kind: 'absent' } }
    if (dice < 0.88) return { kind: 'write', data: undefined, condition: { kind: 'present' } }
    return { kind: 'write', data }
  }

  /** Undefined where it was certainly not applied. */
  private async attempt(record: KeyRecord, action: Action, id: string): Promise<Ending | undefined> {
    let mayBeApplied = false
    let operation: string | undefined
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const reply = await this.endpoint.send(record, action, id)
      const ending = endingOf(reply, action, mayBeApplied)
      if (ending !== undefined) return ending
      if (reply.kind in this.tally && reply.kind !== 'unavailable') this.tally[reply.kind]++
      if (reply.kind === 'unknown') operation = reply.operation
      if (reply.kind === 'unknown' || reply.kind === 'lost') mayBeApplied ||= action.kind === 'write'
      if (reply.kind === 'forgotten' || this.random.chance(0.3)) break
      if (mayBeApplied && !this.endpoint.repeats) break
      this.tally.repeated++
      await pause(20 + this.random.below(300))
    }
    if (!mayBeApplied) return undefined
    if (operation !== undefined && this.random.chance(0.5)) return this.resolve(record, operation)
    return { kind: 'open' }
  }

  private async resolve(record: KeyRecord, operation: string): Promise<Ending | undefined> {
    const called = { client: `${this.name}-resolve`, calledMs: performance.now() }
    const resolution = await this.endpoint.resolve(record, operation)
    this.tally.resolved++
    if (resolution.kind === 'done') return resolution
    record.operations.push({ ...called, ...NEVER_ENDS, action: { kind: 'touch' } })
    if (resolution.kind === 'open') return { kind: 'open' }
    this.tally.aborted++
    if (resolution.seen === undefined) return undefined
    const ending = { kind: 'value', seen: resolution.seen } as const
    record.operations.push({ ...called, action: { kind: 'read' }, returnedMs: performance.now(), ending })
    return undefined
  }
}

const KNOWN_MAX = 100
const NEVER_ENDS = { returnedMs: Number.POSITIVE_INFINITY, ending: { kind: 'open' } } as const

function endingOf(reply: Reply, action: Action, mayBeApplied: boolean): Ending | undefined {
  switch (reply.kind) {
    case 'value':
    case 'done':
      return reply
    case 'conflict':
      // A version never comes back; what is absent or present now may be the other when an earlier
      // request is carried out.
      return mayBeApplied && action.kind === 'write' && action.condition?.kind !== 'version'
        ? { kind: 'open' }
        : reply
    default:
      return undefined
  }
}

function seenBy(action: Action, ending: Ending): Seen | undefined {
  if (ending.kind === 'done') {
    return { version: ending.version, data: action.kind === 'write' ? action.data : undefined }
  }
  return ending.kind === 'open' ? undefined : ending.seen
}
