import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { RelayEvent } from './options.js'

/** What there is now; read when somebody asks for the metrics. */
export interface Gauges {
  readonly rooms: () => number
  readonly connections: () => number
  readonly slowReaders: () => number
  readonly streams: () => number
  readonly contentBytes: () => number
}

/** What operators watch, for Prometheus. One registry per relay: a process may run several. */
export class Metrics {
  readonly registry = new Registry()
  readonly framesReceived = this.counter('skein_frames_received_total', 'Frames taken from clients')
  readonly bytesReceived = this.counter('skein_received_bytes_total', 'Bytes of frames taken from clients')
  readonly framesSent = this.counter('skein_frames_sent_total', 'Frames given to clients')
  readonly bytesSent = this.counter('skein_sent_bytes_total', 'Bytes of frames given to clients')
  readonly updatesLogged = this.counter('skein_log_entries_total', 'Log entries written')
  readonly acknowledgements = this.counter('skein_acknowledgements_total', 'Acknowledgements given to agents')
  readonly rejections = this.counter('skein_rejections_total', 'Updates rejected by their number')
  readonly writeFailures = this.counter('skein_log_failures_total', 'Writes that the log refused')
  readonly commitSeconds = new Histogram({
    name: 'skein_commit_seconds',
    help: 'Time from an append to its being on disk',
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
    registers: [this.registry],
  })

  private readonly clientsClosed = new Counter({
    name: 'skein_clients_closed_total',
    help: 'Connections closed for what they sent, by close code',
    labelNames: ['code'],
    registers: [this.registry],
  })

  constructor({ rooms, connections, slowReaders, streams, contentBytes }: Gauges) {
    this.gauge('skein_rooms', 'Rooms in memory', rooms)
    this.gauge('skein_connections', 'Open WebSocket connections', connections)
    this.gauge('skein_slow_readers', 'Connections that get no updates until they have drained', slowReaders)
    this.gauge('skein_content_bytes', 'Bytes of the content of rooms in memory', contentBytes)
    this.gauge('skein_streams', 'Readers of event streams over HTTP', streams)
  }

  /** Counts what an operator is told of, and is not counted where it happens. */
  count(event: RelayEvent): void {
    if (event.kind === 'client-closed') this.clientsClosed.inc({ code: event.code })
  }

  get contentType(): string {
    return this.registry.contentType
  }

  text(): Promise<string> {
    return this.registry.metrics()
  }

  private counter(name: string, help: string): Tally {
    const tally = new Tally()
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset()
        this.inc(tally.value)
      },
    })
    return tally
  }

  private gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(value())
      },
    })
  }
}

/** Counted for each frame and receiver, which the library's own counters are too slow for. */
class Tally {
  value = 0

  inc(by = 1): void {
    this.value += by
  }
}
