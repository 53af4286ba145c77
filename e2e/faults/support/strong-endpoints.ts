import { Conflict, joinSpace, type OperationId, type Space, Unavailable, Unknown } from '@skein/agent'
import type { Random } from './seed.js'
import type { Reply, Resolution, StrongClient } from './strong-client.js'
import { RELAYS, type StrongCluster } from './strong-cluster.js'
import type { Action } from './strong-history.js'
import type { KeyRecord, StrongRecords } from './strong-records.js'
import type { After } from './until.js'

/** By what a client of the load reaches the strong region. */
export interface Endpoint {
  /** Whether `send` again with the same id is the same operation, rather than a new one. */
  readonly repeats: boolean
  send(record: KeyRecord, action: Action, id: string): Promise<Reply>
  /** @param operation as a reply `unknown` has named it */
  resolve(record: KeyRecord, operation: string): Promise<Resolution>
}

/** HTTP, each request over whichever relay. */
export class HttpEndpoint implements Endpoint {
  readonly repeats = true

  constructor(
    private readonly client: StrongClient,
    private readonly cluster: StrongCluster,
    private readonly random: Random,
  ) {}

  send({ key }: KeyRecord, action: Action, id: string): Promise<Reply> {
    return this.client.send(this.chooseRelay(key), key, action, { id, deadlineMs: deadlineMs(this.random) })
  }

  resolve({ key }: KeyRecord, operation: string): Promise<Resolution> {
    return this.client.resolve(this.chooseRelay(key), key, operation)
  }

  /** Mostly the one that others prefer for the key, too; often enough another, so that proposers meet. */
  private chooseRelay(key: string): string {
    const preferred = RELAYS[key.charCodeAt(key.length - 1) % RELAYS.length]!
    return this.cluster.relay(this.random.chance(0.6) ? preferred : this.random.pick(RELAYS)).http
  }
}

/** An agent that knows all relays. It watches what it works on, and what it is told must be true, too. */
export class AgentEndpoint implements Endpoint {
  readonly repeats = false
  private readonly watches = new Map<string, AbortController>()

  private constructor(
    private readonly space: Space,
    private readonly records: StrongRecords,
    private readonly random: Random,
  ) {}

  static async join(
    after: After,
    cluster: StrongCluster,
    space: string,
    prefix: string,
    records: StrongRecords,
    random: Random,
  ): Promise<AgentEndpoint> {
    const relays = RELAYS.map((id) => cluster.relay(id).url)
    const agent = await joinSpace(space, { relays, strong: [prefix] })
    after(() => agent.leave())
    return new AgentEndpoint(agent, records, random)
  }

  async send(record: KeyRecord, action: Action): Promise<Reply> {
    const { key } = record
    const { strong } = this.space
    const options = { deadlineMs: deadlineMs(this.random) }
    this.watch(record)
    try {
      if (action.kind !== 'write') {
        const { value, version } = await strong.get(key, options)
        return { kind: 'value', seen: { data: textOf(value), version } }
      }
      return { kind: 'done', ...(await this.write(key, action, options)) }
    } catch (error) {
      if (error instanceof Unavailable) return { kind: 'unavailable' }
      if (error instanceof Unknown) return { kind: 'unknown', operation: JSON.stringify(error.operation) }
      if (!(error instanceof Conflict)) throw error
      const { value, version } = error.current
      return { kind: 'conflict', seen: { data: textOf(value), version } }
    }
  }

  async resolve(_: KeyRecord, operation: string): Promise<Resolution> {
    try {
      const id = JSON.parse(operation) as OperationId
      const settled = await this.space.strong.resolve(id, { deadlineMs: deadlineMs(this.random) })
      return settled === 'applied' ? { kind: 'open' } : { kind: 'aborted', seen: undefined }
    } catch (error) {
      if (error instanceof Unknown || error instanceof Unavailable) return { kind: 'open' }
      throw error
    }
  }

  private write(
    key: string,
    { data, condition }: Extract<Action, { kind: 'write' }>,
    options: { readonly deadlineMs: number },
  ): Promise<{ readonly version: number; readonly fence: number }> {
    const { strong } = this.space
    const asked = conditionOf(condition)
    if (data === undefined) {
      return strong.delete(key, asked === undefined ? options : { ...options, condition: asked })
    }
    const value: string = JSON.parse(data)
    return asked === undefined
      ? strong.set(key, value, options)
      : strong.compareAndSet(key, asked, value, options)
  }

  private watch(record: KeyRecord): void {
    if (this.watches.has(record.key)) return
    const controller = new AbortController()
    this.watches.set(record.key, controller)
    if (this.watches.size > WATCHES_MAX) {
      for (const [oldest, watch] of this.watches) {
        watch.abort()
        this.watches.delete(oldest)
        break
      }
    }
    void this.follow(record, controller.signal)
  }

  private async follow(record: KeyRecord, signal: AbortSignal): Promise<void> {
    let last = -1
    try {
      for await (const { value, version } of this.space.strong.watch(record.key, { signal })) {
        if (version <= last) {
          this.records.violation(`${record.key}: a watch went from version ${last} to ${version}`, [])
        }
        last = version
        // It may be late, but it was so at some time before.
        record.operations.push({
          client: 'watch',
          action: { kind: 'read' },
          calledMs: 0,
          returnedMs: performance.now(),
          ending: { kind: 'value', seen: { data: textOf(value), version } },
        })
      }
    } catch (error) {
      this.records.violation(`${record.key}: a watch failed: ${error}`, [])
    }
  }
}

/** More than there are keys in use. */
const WATCHES_MAX = 6

function deadlineMs(random: Random): number {
  return 500 + random.below(4_000)
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value)
}

function conditionOf(condition: Extract<Action, { kind: 'write' }>['condition']) {
  switch (condition?.kind) {
    case undefined:
      return undefined
    case 'version':
      return { ifVersion: condition.version } as const
    case 'absent':
      return { ifAbsent: true } as const
    case 'present':
      return { ifPresent: true } as const
  }
}
