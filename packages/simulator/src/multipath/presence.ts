import {
  AWARENESS_NULL,
  type AwarenessEntry,
  isAwarenessNull,
  readAwarenessEntries,
  writeAwarenessEntries,
} from '@skein/protocol'
import type { Agent } from './agent.js'

const LOOK_EVERY_MS = 3_000
const RENEW_AFTER_MS = 15_000
const FORGET_AFTER_MS = 30_000

interface Known {
  readonly clock: number
  readonly isPresent: boolean
  readonly seenMs: number
}

/** Who is there, as `packages/agent` and the awareness of y-protocols have it. */
export class Presence {
  private readonly others = new Map<number, Known>()
  private clock = 0
  private value = 0
  private renewedMs = 0

  constructor(private readonly agent: Agent) {
    this.look()
  }

  sees(client: number): boolean {
    return this.others.get(client)?.isPresent === true
  }

  /** Something else to show. */
  set(value: number): void {
    this.value = value
    this.announce()
  }

  /** Says "I am here" anew. */
  announce(): void {
    this.clock++
    this.renewedMs = this.nowMs
    const state = new TextEncoder().encode(`{"value":${this.value}}`)
    this.tell([{ client: this.agent.client, clock: this.clock, state }])
  }

  receive(update: Uint8Array): void {
    const { agent, others, nowMs } = this
    for (const { client, clock, state } of readAwarenessEntries(update)) {
      const isPresent = !isAwarenessNull(state)
      if (client === agent.client) {
        // Somebody says that this one is gone.
        if (isPresent || clock < this.clock) continue
        this.clock = clock + 1
        agent.timer(0, () => this.announce())
        continue
      }
      const known = others.get(client)
      if (known !== undefined && known.clock > clock) continue
      if (known?.clock === clock && (isPresent || !known.isPresent)) continue
      others.set(client, { clock, isPresent, seenMs: nowMs })
      if (known?.isPresent && !isPresent) agent.world.checks.vanished(agent, client)
    }
  }

  /** Nobody can be heard. */
  forget(): void {
    this.others.clear()
  }

  private get nowMs(): number {
    return this.agent.world.events.nowMs
  }

  private look(): void {
    const { agent, others, nowMs } = this
    if (nowMs - this.renewedMs >= RENEW_AFTER_MS) this.announce()
    const gone: AwarenessEntry[] = []
    for (const [client, { clock, isPresent, seenMs }] of others) {
      if (!isPresent || nowMs - seenMs < FORGET_AFTER_MS) continue
      others.set(client, { clock, isPresent: false, seenMs })
      gone.push({ client, clock, state: AWARENESS_NULL })
      agent.world.checks.vanished(agent, client)
    }
    if (gone.length > 0) this.tell(gone)
    agent.timer(LOOK_EVERY_MS, () => this.look())
  }

  private tell(entries: readonly AwarenessEntry[]): void {
    this.agent.driver?.presence(writeAwarenessEntries(entries))
  }
}
