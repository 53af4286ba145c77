import type { Outcome } from '@skein/paxos'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

const SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5]

/** What an operator watches of the strong region. */
export class ClusterMetrics {
  private readonly outcomes: Counter<'outcome'>
  private readonly messages: Counter<'kind'>
  private readonly operationSeconds: Histogram
  private readonly flushSeconds: Histogram
  private readonly writes: Counter

  constructor(
    registry: Registry,
    connected: () => number,
    formed: () => boolean,
    dropped: () => number,
    checkpoints: () => number,
  ) {
    const registers = [registry]
    this.outcomes = new Counter({
      name: 'skein_strong_outcomes_total',
      help: 'Operations of the strong region that ended here, by outcome',
      labelNames: ['outcome'],
      registers,
    })
    this.messages = new Counter({
      name: 'skein_strong_messages_total',
      help: 'Messages sent to other members, by kind; an accept is a round of writing with that member',
      labelNames: ['kind'],
      registers,
    })
    this.operationSeconds = new Histogram({
      name: 'skein_strong_operation_seconds',
      help: 'Time from an operation to its outcome',
      buckets: SECONDS,
      registers,
    })
    this.flushSeconds = new Histogram({
      name: 'skein_strong_flush_seconds',
      help: 'Time of one flush of what this member promised and accepted',
      buckets: SECONDS,
      registers,
    })
    this.writes = new Counter({
      name: 'skein_strong_writes_total',
      help: 'Promises and acceptances written; several share a flush',
      registers,
    })
    gauge(registry, 'skein_strong_peers_connected', 'Other members that can be reached', connected)
    gauge(registry, 'skein_strong_formed', '1 where this relay belongs to a cluster', () => Number(formed()))
    gauge(
      registry,
      'skein_strong_messages_dropped',
      'Messages dropped before members that do not read',
      dropped,
    )
    gauge(
      registry,
      'skein_strong_checkpoints',
      'How often what was written ahead was moved into the store',
      checkpoints,
    )
  }

  ended(outcome: Outcome['kind'], tookMs: number): void {
    this.outcomes.inc({ outcome })
    this.operationSeconds.observe(tookMs / 1000)
  }

  sent(kind: string): void {
    this.messages.inc({ kind })
  }

  flushed(tookMs: number, writes: number): void {
    this.flushSeconds.observe(tookMs / 1000)
    this.writes.inc(writes)
  }
}

function gauge(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value())
    },
  })
}
