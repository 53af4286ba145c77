import { scanUpdate } from '@skein/protocol'
import * as Y from 'yjs'
import { Driver } from './driver.js'
import { Presence } from './presence.js'
import type { Path } from './socket.js'
import type { SyncModule } from './sync-module.js'
import { Timer } from './timer.js'
import type { MultipathWorld } from './world.js'

/** What one edit brought. */
export interface Edit {
  readonly atMs: number
  readonly from: number
  /** The clock of its client behind it. */
  readonly upTo: number
  readonly deleted: readonly (readonly [client: number, clock: number, length: number])[]
}

/** An agent with a document, as `packages/agent` is around the session over several paths. */
export class Agent {
  readonly doc = new Y.Doc()
  readonly outbox: InstanceType<SyncModule['Outbox']>
  readonly replica: ReturnType<SyncModule['documentReplica']>
  /** By their numbers; there is no edit 0. */
  readonly edits: Edit[] = [{ atMs: 0, from: 0, upTo: 0, deleted: [] }]
  readonly presence: Presence
  readonly name: string
  driver: Driver | undefined
  epoch = ''
  /** Time that its clock of the day has gone ahead while it slept. */
  sleptMs = 0
  /** By how much its timers may be late. */
  timersLateMs = 0
  private isAsleep = false
  private readonly whenAwakeTimers: (() => void)[] = []
  private readonly whenAwakeFrames: (() => void)[] = []

  constructor(
    readonly world: MultipathWorld,
    readonly index: number,
  ) {
    const { sync } = world
    this.name = `agent ${this.client}`
    this.doc.clientID = this.client
    this.outbox = new sync.Outbox()
    this.replica = sync.documentReplica(this.doc, () => this.epoch)
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'relay') this.edited(update)
    })
    this.presence = new Presence(this)
  }

  get client(): number {
    return this.index + 1
  }

  get state(): Y.Map<unknown> {
    return this.doc.getMap('state')
  }

  get awake(): boolean {
    return !this.isAsleep
  }

  connect(paths: readonly Path[]): void {
    this.driver = new Driver(this, paths)
    this.driver.connect()
  }

  /** All of it is one edit. */
  edit(write: (state: Y.Map<unknown>) => void): void {
    this.doc.transact(() => write(this.state))
  }

  apply(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, 'relay')
    this.world.checks.applied(this)
  }

  /** No path is left. */
  lost(): void {
    this.world.log?.(`${this.name} has no path left`)
    this.presence.forget()
  }

  timer(afterMs: number, action: () => void): Timer {
    const { world } = this
    const lateMs = this.timersLateMs === 0 ? 0 : world.random.around(this.timersLateMs)
    const timer: Timer = new Timer(world.events, afterMs + lateMs, () => {
      if (!this.isAsleep) action()
      else {
        this.whenAwakeTimers.push(() => {
          if (!timer.isCancelled) action()
        })
      }
    })
    return timer
  }

  whenAwake(action: () => void): void {
    if (this.isAsleep) this.whenAwakeFrames.push(action)
    else action()
  }

  /** @param clockGoesOn the clock of the day goes on and the monotonic one does not, as where a machine sleeps */
  sleep(forMs: number, clockGoesOn: boolean): void {
    if (this.isAsleep) return
    this.world.log?.(`${this.name} sleeps for ${forMs.toFixed(0)}`)
    this.isAsleep = true
    this.world.events.after(forMs, () => {
      this.world.log?.(`${this.name} is awake`)
      this.isAsleep = false
      if (clockGoesOn) this.sleptMs += forMs
      const queues = [this.whenAwakeTimers, this.whenAwakeFrames]
      if (this.world.random.chance(0.5)) queues.reverse()
      for (const queue of queues) for (const action of queue.splice(0)) action()
      if (this.world.random.chance(0.5)) this.driver!.wake()
    })
  }

  private edited(update: Uint8Array): void {
    const deleted: [number, number, number][] = []
    scanUpdate(update, {
      structs() {},
      deletion: (client, clock, length) => void deleted.push([client, clock, length]),
    })
    const number = this.outbox.add()
    const from = this.edits.at(-1)!.upTo
    const upTo = Y.getState(this.doc.store, this.client)
    this.edits.push({ atMs: this.world.events.nowMs, from, upTo, deleted })
    this.world.edited(this, number, update)
    this.driver!.edit(update)
  }
}
