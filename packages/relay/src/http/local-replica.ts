import { documentReplica, type Json, Outbox, Session, type SessionEffects, STATE_MAP } from '@skein/sync'
import * as Y from 'yjs'
import type { Peer, RoomHost } from '../room-host.js'
import type { Rooms } from '../rooms.js'

/** A key and its new value, undefined to delete it; checked before. */
export type StateChange = readonly [key: string, value: Json | undefined]

/** The room ended under a request: it could not be loaded, or its disk refused a write. */
export class RoomGone extends Error {}

/**
 * A replica of a room inside of the relay, through which HTTP requests read and write. It is a member of
 * the room like any agent: what it writes is checked, logged, forwarded and acknowledged the same way.
 */
export class LocalReplica implements Peer {
  readonly congested = false
  /** A request waits for what it writes. */
  readonly urgent = true
  readonly doc = new Y.Doc()
  readonly map = this.doc.getMap<Json>(STATE_MAP)
  /** Rejects when the room has ended. */
  readonly gone: Promise<never>

  private readonly outbox = new Outbox()
  private readonly session: Session
  private readonly waiters = new Set<{ edit: number; resolve: () => void }>()
  private room: RoomHost | undefined
  /** Frames of the greeting, which come before it is known whose they are. */
  private readonly early: Uint8Array[] = []
  private whenLive: () => void = () => {}
  private fail: (error: RoomGone) => void = () => {}
  private ended = false
  private epoch = ''

  private constructor(
    readonly id: number,
    relayId: string,
  ) {
    this.gone = new Promise((_resolve, reject) => {
      this.fail = reject
    })
    // Only who is waiting for something hears of it.
    this.gone.catch(() => {})
    this.session = new Session(
      relayId,
      documentReplica(this.doc, () => this.epoch),
      this.outbox,
      0,
    )
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === FROM_ROOM) return
      this.outbox.add()
      this.run(this.session.edit(update))
    })
  }

  /** Joins a room and waits until the replica holds what it holds. @throws RoomGone */
  static async join(rooms: Rooms, name: string, id: number, relayId: string): Promise<LocalReplica> {
    const replica = new LocalReplica(id, relayId)
    const live = new Promise<void>((resolve) => {
      replica.whenLive = resolve
    })
    replica.room = await rooms.join(name, replica, true)
    if (replica.room === undefined) await replica.gone
    for (const frame of replica.early.splice(0)) replica.send(frame)
    replica.run(replica.session.opened())
    await Promise.race([live, replica.gone])
    return replica
  }

  /** Changes the state and resolves when that is on the relay's disk. @throws RoomGone */
  async write(changes: readonly StateChange[]): Promise<void> {
    this.doc.transact(() => {
      for (const [key, value] of changes) {
        if (value === undefined) this.map.delete(key)
        else this.map.set(key, value)
      }
    })
    const edit = this.outbox.last
    if (this.outbox.confirmed >= edit) return
    const durable = new Promise<void>((resolve) => this.waiters.add({ edit, resolve }))
    await Promise.race([durable, this.gone])
  }

  leave(): void {
    this.ended = true
    this.fail(new RoomGone('the relay is stopping'))
    this.room?.leave(this.id)
    this.doc.destroy()
  }

  send(frame: Uint8Array): void {
    // What it says to the first of them would reach no room yet.
    if (this.room === undefined) {
      this.early.push(frame)
      return
    }
    // After the room has finished the step that sends this: an answer must not come in its middle.
    queueMicrotask(() => {
      if (this.ended) return
      try {
        this.run(this.session.receive(0, frame))
      } catch (error) {
        // There are updates that pass every structural check and that Yjs cannot integrate.
        this.close(0, `the relay cannot read this space: ${String(error)}`)
        this.room?.leave(this.id)
      }
    })
  }

  close(_code: number, reason: string): void {
    this.ended = true
    this.fail(new RoomGone(reason))
  }

  private run({ send, apply, close, problem, epoch, more }: SessionEffects): void {
    this.epoch = epoch ?? this.epoch
    for (const update of apply) Y.applyUpdate(this.doc, update, FROM_ROOM)
    if (apply.length > 0) this.run(this.session.applied(0))
    for (const frame of send) this.room?.receive(this.id, frame)
    if (close !== undefined) this.close(close.code, close.reason)
    // What was refused is in this replica and in no log: it must not be read from here.
    if (problem !== undefined) {
      this.close(0, `the relay refused the write (${problem.kind})`)
      this.room?.leave(this.id)
    }
    if (more) this.run(this.session.sendMore())
    if (this.session.live) this.whenLive()
    for (const waiter of this.waiters) {
      if (this.outbox.confirmed < waiter.edit) continue
      this.waiters.delete(waiter)
      waiter.resolve()
    }
  }
}

const FROM_ROOM = Symbol('room')
