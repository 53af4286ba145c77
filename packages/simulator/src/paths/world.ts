import type { PathEffects, PathId, PathSwitch, Traffic } from '@skein/sync'
import { Events } from '../events.js'
import type { Random } from '../random.js'
import { Line, type LineOptions } from './line.js'
import type { PathFault } from './scenarios.js'
import type { Strategy } from './strategy.js'

/** What a frame has beside its message, and what an acknowledgement, a probe and its answer take, in bytes. */
const HEAD_BYTES = 6
const SMALL_BYTES = 12
/** A connection without a sign of life for so long is closed. */
const DEAD_AFTER_MS = 15_000
/** A connection that has ended is open again after this, and a handshake. */
const RECONNECT_MS = 500

interface Connection {
  readonly up: Line
  readonly down: Line
  isOpen: boolean
  heardMs: number
}

export interface Submitted {
  readonly atMs: number
  readonly bytes: number
  readonly traffic: Traffic
  deliveredMs: number | undefined
  acknowledgedMs: number | undefined
}

/** A sender with several paths to one receiver, who acknowledges what comes. */
export class PathWorld {
  readonly events = new Events()
  readonly messages: Submitted[] = []
  readonly switches: { readonly atMs: number; readonly change: PathSwitch }[] = []
  readonly lines: readonly LineOptions[]
  private readonly connections: Connection[]
  private deadlineMs = Number.POSITIVE_INFINITY

  constructor(
    private readonly random: Random,
    paths: readonly LineOptions[],
    readonly strategy: Strategy,
  ) {
    this.connections = paths.map((options) => ({
      up: new Line(this.events, random, options),
      down: new Line(this.events, random, options),
      isOpen: false,
      heardMs: 0,
    }))
    this.lines = paths
    for (const [path, { up }] of this.connections.entries()) {
      // One after the other, so that not all of them are tried where one is enough.
      this.events.after(250 * path + 2 * up.options.delayMs, () => this.open(path))
    }
    this.look()
  }

  /** Bytes put on all lines, both ways. */
  get bytes(): number {
    return this.connections.reduce((sum, { up, down }) => sum + up.bytes + down.bytes, 0)
  }

  isOpen(path: PathId): boolean {
    return this.connections[path]!.isOpen
  }

  run(untilMs: number): void {
    while (this.events.step(untilMs)) {}
  }

  submit(bytes: number, traffic: Traffic = 'interactive'): void {
    const { nowMs } = this.events
    const id = this.messages.length
    this.messages.push({ atMs: nowMs, bytes, traffic, deliveredMs: undefined, acknowledgedMs: undefined })
    this.apply(this.strategy.submit(nowMs, { id, bytes, traffic }))
  }

  fail(path: PathId, fault: PathFault): void {
    const { up, down } = this.connections[path]!
    if (fault.kind === 'close') this.close(path)
    else {
      if (fault.way !== 'down') up.hole(fault.durationMs)
      if (fault.way !== 'up') down.hole(fault.durationMs)
    }
  }

  private open(path: PathId): void {
    const connection = this.connections[path]!
    if (connection.isOpen) return
    connection.isOpen = true
    connection.heardMs = this.events.nowMs
    this.apply(this.strategy.opened(this.events.nowMs, path))
  }

  private close(path: PathId): void {
    const connection = this.connections[path]!
    if (!connection.isOpen) return
    connection.isOpen = false
    connection.up.cut()
    connection.down.cut()
    const { delayMs } = connection.up.options
    this.events.after(RECONNECT_MS * this.random.between(0, 1) + 4 * delayMs, () => this.open(path))
    this.apply(this.strategy.closed(this.events.nowMs, path))
  }

  /** Closes connections that have been silent for long, as every transport does in the end. */
  private look(): void {
    const { nowMs } = this.events
    for (const [path, { isOpen, heardMs }] of this.connections.entries()) {
      if (isOpen && nowMs - heardMs > DEAD_AFTER_MS) this.close(path)
    }
    this.events.after(1_000, () => this.look())
  }

  private apply({ send, probe, switched }: PathEffects): void {
    const { nowMs } = this.events
    if (switched !== undefined) {
      this.switches.push({ atMs: nowMs, change: switched })
    }
    for (const { path, id } of send) this.put(path, id)
    for (const path of probe) this.probe(path)
    this.schedule()
  }

  private put(path: PathId, id: number): void {
    const connection = this.connections[path]!
    const message = this.messages[id]!
    connection.up.send(message.bytes + HEAD_BYTES, () => {
      message.deliveredMs ??= this.events.nowMs
      connection.down.send(SMALL_BYTES, () => this.acknowledged(path, id))
    })
    this.buffered(path)
  }

  /** Before anything else is decided, as a driver looks at the socket before it writes. */
  private buffered(path: PathId): void {
    const effects = this.strategy.buffered(this.events.nowMs, path, this.connections[path]!.up.waiting)
    if (effects.send.length > 0 || effects.switched !== undefined) this.apply(effects)
  }

  private acknowledged(path: PathId, id: number): void {
    const { nowMs } = this.events
    this.connections[path]!.heardMs = nowMs
    this.messages[id]!.acknowledgedMs ??= nowMs
    this.buffered(path)
    this.apply(this.strategy.acknowledged(nowMs, path, id))
  }

  private probe(path: PathId): void {
    const connection = this.connections[path]!
    if (!connection.isOpen) return
    const sentMs = this.events.nowMs
    connection.up.send(SMALL_BYTES, () =>
      connection.down.send(SMALL_BYTES, () => {
        connection.heardMs = this.events.nowMs
        this.apply(this.strategy.answered(this.events.nowMs, path, this.events.nowMs - sentMs))
      }),
    )
  }

  private schedule(): void {
    const { deadlineMs } = this.strategy
    if (deadlineMs >= this.deadlineMs || deadlineMs === Number.POSITIVE_INFINITY) return
    this.deadlineMs = deadlineMs
    this.events.at(deadlineMs, () => {
      if (this.deadlineMs !== deadlineMs) return
      this.deadlineMs = Number.POSITIVE_INFINITY
      const { nowMs } = this.events
      if (this.strategy.deadlineMs <= nowMs) this.apply(this.strategy.timeout(nowMs, this.random.next()))
      else this.schedule()
    })
  }
}
