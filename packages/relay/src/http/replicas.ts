import type { Rooms } from '../rooms.js'
import { LocalReplica } from './local-replica.js'

/** How long a replica stays after the last request for it. */
const IDLE_MS = 30_000
/** Replicas at once: each holds its room's document in memory. */
export const REPLICAS_MAX = 1_000

/** There are too many replicas in memory; try again later. */
export class TooManyReplicas extends Error {}

/** The replicas that serve HTTP requests, one per room however many requests there are. */
export class Replicas {
  private readonly entries = new Map<
    string,
    { joining: Promise<LocalReplica>; users: number; timer?: Timer }
  >()

  constructor(
    private readonly rooms: Rooms,
    private readonly relayId: string,
    private readonly nextId: () => number,
  ) {}

  /**
   * Runs a request on a room's replica, which stays as long as a request uses it.
   * @throws RoomGone, TooManyReplicas
   */
  async use<T>(room: string, request: (replica: LocalReplica) => Promise<T>): Promise<T> {
    const entry = this.entries.get(room) ?? this.join(room)
    entry.users++
    clearTimeout(entry.timer)
    try {
      return await request(await entry.joining)
    } finally {
      entry.users--
      if (entry.users === 0) {
        entry.timer = setTimeout(() => this.drop(room, entry), IDLE_MS)
        entry.timer.unref()
      }
    }
  }

  close(): void {
    for (const { joining, timer } of this.entries.values()) {
      clearTimeout(timer)
      joining.then(
        (replica) => replica.leave(),
        () => {},
      )
    }
    this.entries.clear()
  }

  private join(room: string): { joining: Promise<LocalReplica>; users: number; timer?: Timer } {
    if (this.entries.size >= REPLICAS_MAX) throw new TooManyReplicas('too many spaces are in use over HTTP')
    const joining = LocalReplica.join(this.rooms, room, this.nextId(), this.relayId)
    const entry = { joining, users: 0 }
    this.entries.set(room, entry)
    const forget = () => {
      if (this.entries.get(room) === entry) this.entries.delete(room)
    }
    joining.then((replica) => replica.gone, undefined).catch(forget)
    joining.catch(forget)
    return entry
  }

  private drop(room: string, entry: { readonly joining: Promise<LocalReplica> }): void {
    if (this.entries.get(room) === entry) this.entries.delete(room)
    entry.joining.then(
      (replica) => replica.leave(),
      () => {},
    )
  }
}

type Timer = ReturnType<typeof setTimeout>
