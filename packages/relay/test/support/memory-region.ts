import {
  type AcceptorRecord,
  type Entry,
  type Operation,
  type Outcome,
  Participant,
  type ParticipantEffects,
} from '@skein/paxos'
import type { ExecuteOptions, StrongRegion } from '../../src/strong/region.js'

/**
 * A strong region of one member that keeps everything in memory. Its disk can be stopped: then what is
 * submitted is unavailable, or unknown once it was accepted.
 */
export class MemoryRegion implements StrongRegion {
  readonly clientId: string
  /** Operations that were executed, by kind. */
  readonly executed: { readonly key: string; readonly operation: Operation }[] = []
  private readonly records = new Map<string, AcceptorRecord>()
  private readonly participant: Participant
  private readonly waiting = new Map<number, (outcome: Outcome) => void>()
  private readonly watchers = new Map<string, Set<(entry: Entry) => void>>()
  private readonly entries = new Map<string, Entry>()
  private lastToken = 0
  private held: (() => void)[] | undefined
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(clientId = 'relay') {
    this.clientId = clientId
    this.participant = new Participant({
      id: 'a',
      incarnation: 1,
      configuration: { epoch: 1, members: [{ id: 'a', store: 's' }] },
      store: {
        get: (key) => this.records.get(key),
        keys: (after, limit) =>
          [...this.records.keys()]
            .filter((key) => key > after)
            .sort()
            .slice(0, limit),
      },
    })
  }

  /** The same registers as another relay offers them. */
  as(clientId: string): StrongRegion {
    return {
      clientId,
      execute: (key, operation, options) => this.execute(key, operation, options),
      watch: (key, onEntry) => this.watch(key, onEntry),
    }
  }

  /** From now on nothing reaches the disk. */
  stopDisk(): void {
    this.held ??= []
  }

  startDisk(): void {
    const { held = [] } = this
    this.held = undefined
    for (const release of held) release()
  }

  /** Writes waiting for a stopped disk. */
  get heldCount(): number {
    return this.held?.length ?? 0
  }

  get watchedCount(): number {
    return this.watchers.size
  }

  get openCount(): number {
    return this.waiting.size
  }

  execute(key: string, operation: Operation, { withinMs, signal }: ExecuteOptions): Promise<Outcome> {
    this.executed.push({ key, operation })
    const token = ++this.lastToken
    return new Promise((resolve) => {
      const cancel = () => this.run(this.participant.cancel(performance.now(), key, token))
      this.waiting.set(token, (outcome) => {
        signal?.removeEventListener('abort', cancel)
        resolve(outcome)
      })
      const deadlineMs = performance.now() + withinMs
      this.run(this.participant.submit(performance.now(), { token, key, operation, deadlineMs }))
      if (signal?.aborted) cancel()
      else if (this.waiting.has(token)) signal?.addEventListener('abort', cancel)
    })
  }

  watch(key: string, onEntry: (entry: Entry) => void): () => void {
    const watchers = this.watchers.get(key) ?? new Set()
    const isFirst = watchers.size === 0
    this.watchers.set(key, watchers.add(onEntry))
    if (isFirst) this.run(this.participant.watch(performance.now(), key))
    else if (this.entries.has(key)) onEntry(this.entries.get(key)!)
    return () => {
      watchers.delete(onEntry)
      if (watchers.size > 0) return
      this.watchers.delete(key)
      this.entries.delete(key)
      this.participant.unwatch(key)
    }
  }

  private run({ persist, outcomes, learned }: ParticipantEffects): void {
    if (persist.length > 0) {
      const write = () => {
        for (const one of persist) if (one.kind === 'record') this.records.set(one.key, one.record)
        this.run(this.participant.persisted(performance.now(), persist.at(-1)!.number))
      }
      if (this.held === undefined) setImmediate(write)
      else this.held.push(write)
    }
    for (const { token, outcome } of outcomes) {
      this.waiting.get(token)?.(outcome)
      this.waiting.delete(token)
    }
    for (const { key, entry } of learned) {
      this.entries.set(key, entry)
      for (const watcher of this.watchers.get(key) ?? []) watcher(entry)
    }
    clearTimeout(this.timer)
    const { deadlineMs } = this.participant
    if (deadlineMs === Number.POSITIVE_INFINITY) return
    this.timer = setTimeout(
      () => this.run(this.participant.timeout(performance.now())),
      Math.max(0, deadlineMs - performance.now()),
    )
    this.timer.unref()
  }
}
