import { joinSpace, type Space } from '@skein/agent'
import { type Auditor, DELETED } from './auditor.js'
import { FactSource } from './numbered-writer.js'
import type { Random } from './seed.js'
import { type After, pause } from './until.js'

/** Facts for which `durable` has been asked and has not resolved. */
const UNCONFIRMED_MAX = 200

export interface AgentOptions {
  readonly space: string
  readonly url: string
  /** With it the replica is on disk, without in memory. */
  readonly dataDir?: string
}

/** An agent that leaves with the test. */
export async function joinAgent(after: After, { space, url, dataDir }: AgentOptions): Promise<Space> {
  const agent = await joinSpace(space, { relays: [url], ...(dataDir === undefined ? {} : { dataDir }) })
  after(() => agent.leave())
  return agent
}

/** An agent that writes continually and counts as acknowledged what `durable('relay')` resolved. */
export class AgentWriter {
  private readonly facts: FactSource
  private readonly open = new Set<Promise<void>>()
  private stopped = false

  constructor(
    readonly space: Space,
    name: string,
    private readonly auditor: Auditor,
    private readonly random: Random,
  ) {
    this.facts = new FactSource(name, random)
  }

  get waiting(): number {
    return this.open.size
  }

  async run(after: After): Promise<void> {
    // A failed test leaves in the middle of it.
    after(() => this.stop())
    while (!this.stopped) {
      if (this.open.size < UNCONFIRMED_MAX) this.write()
      await pause(this.space.status.connection === 'live' ? this.random.below(8) : 20)
    }
  }

  stop(): void {
    this.stopped = true
  }

  write(): void {
    const fact = this.facts.take()
    this.auditor.wrote(fact)
    if (fact.version === DELETED) this.space.delete(fact.key)
    else this.space.set(fact.key, fact.version)
    const durable = this.space.durable('relay').then(
      () => this.auditor.confirmed(fact),
      // The test is over; what was not confirmed needs not be found.
      () => {},
    )
    this.open.add(durable)
    void durable.then(() => this.open.delete(durable))
  }
}
