import type { Log } from '../log/log.js'
import type { Peer } from '../room-host.js'
import type { Rooms } from '../rooms.js'

const PAGE = 100
/** Rooms that are compared at a time. */
const AT_ONCE = 4
const LOOK_EVERY_MS = 20
/** A room that cannot be brought to the other relay in this time is left for the next walk. */
const ROOM_WITHIN_MS = 30_000

/** Compares all rooms that this relay has written to with what another one has, and gives it what it lacks. */
export class Walk {
  private isStopped = false

  constructor(
    private readonly log: Log,
    private readonly rooms: Rooms,
    private readonly newPeerId: () => number,
    private readonly member: string,
    private readonly isRefused: (space: string) => boolean,
  ) {}

  stop(): void {
    this.isStopped = true
  }

  /** Resolves when it has been through; false where a room was left. */
  async run(): Promise<boolean> {
    let after = ''
    let isComplete = true
    while (!this.isStopped) {
      const page = await this.log.rooms(after, PAGE)
      const left = [...page]
      const worker = async () => {
        for (let name = left.shift(); name !== undefined && !this.isStopped; name = left.shift()) {
          if (!(await this.bring(name))) isComplete = false
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))
      if (page.length < PAGE) return isComplete && !this.isStopped
      after = page.at(-1)!
    }
    return false
  }

  /** Being there is enough: the room is linked as long as somebody is. */
  private async bring(name: string): Promise<boolean> {
    const visitor = new Visitor(this.newPeerId())
    const host = await this.rooms.join(name, visitor, false)
    if (host === undefined) return false
    const untilMs = performance.now() + ROOM_WITHIN_MS
    // What the other one refuses it will not have, however often it is asked.
    const isDone = () => host.isAt(this.member) === true || this.isRefused(name)
    while (!this.isStopped && !visitor.isGone && !isDone() && performance.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
    const done = isDone()
    host.leave(visitor.id)
    return done
  }
}

/** A member who reads nothing. */
class Visitor implements Peer {
  readonly congested = false
  readonly urgent = false
  readonly isVisitor = true
  isGone = false

  constructor(readonly id: number) {}

  send(): void {}

  close(): void {
    this.isGone = true
  }
}
