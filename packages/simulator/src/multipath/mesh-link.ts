import type { Line } from '../paths/line.js'
import { describeFrame, frameHead } from './frames.js'
import type { Peer, Relay } from './relay.js'
import type { MultipathWorld } from './world.js'

const HANDSHAKE_BYTES = 200
const HEAD_BYTES = 6
const RETRY_MS_MAX = 2_000
/** Either side gives the link up when it has heard nothing for so long. */
const SILENT_MS_MAX = 10_000

interface Joined {
  /** The members that each end is at the other. */
  readonly members: readonly [number, number]
  readonly isJoined: [boolean, boolean]
  /** Nothing arrives any more; the ends find out in a while. */
  isBroken: boolean
}

/** The link between the rooms of two relays: made again whenever it is gone, unless it is cut. */
export class MeshLink {
  /** Share of the updates that come twice. */
  duplication = 0
  private isCut = false
  private current: Joined | undefined

  constructor(
    private readonly world: MultipathWorld,
    readonly ends: readonly [Relay, Relay],
    private readonly lines: readonly [Line, Line],
  ) {}

  get isUp(): boolean {
    const { current } = this
    return current?.isBroken === false && current.isJoined.every((isJoined) => isJoined)
  }

  /** Makes the link as soon as both relays are up. */
  dial(): void {
    const { world, ends, lines } = this
    if (this.current === undefined && !this.isCut && ends.every(({ isUp }) => isUp)) {
      const link: Joined = {
        members: [world.nextMember(), world.nextMember()],
        isJoined: [false, false],
        isBroken: false,
      }
      this.current = link
      lines[0].send(HANDSHAKE_BYTES, () => {
        if (link.isBroken || !ends[1].isUp) return
        lines[1].send(HANDSHAKE_BYTES, () => {
          if (!link.isBroken) this.join(link, 0)
        })
        this.join(link, 1)
      })
    }
    world.events.after(world.random.between(50, RETRY_MS_MAX), () => this.dial())
  }

  /** @param isSilent nobody is told, so both sides find out by the silence */
  cut(isSilent: boolean): void {
    this.world.log?.(`${this.ends[0].name} and ${this.ends[1].name} are cut off from each other`)
    this.isCut = true
    this.end(isSilent ? SILENT_MS_MAX : 50)
  }

  mend(): void {
    this.isCut = false
  }

  hole(durationMs: number): void {
    for (const line of this.lines) line.hole(durationMs)
  }

  /** A relay has ended. */
  relayEnded(): void {
    if (this.current !== undefined) this.end(50)
  }

  private end(withinMs: number): void {
    const { world, ends, lines } = this
    const link = this.current
    if (link === undefined || link.isBroken) return
    for (const line of lines) line.cut()
    link.isBroken = true
    const leftMs = [0, 1].map((end) => {
      const afterMs = world.random.between(0, withinMs)
      world.events.after(afterMs, () => {
        if (!link.isJoined[end as 0 | 1]) return
        link.isJoined[end as 0 | 1] = false
        ends[end as 0 | 1].leave(link.members[end as 0 | 1])
      })
      return afterMs
    })
    // Not before both know.
    world.events.after(Math.max(...leftMs), () => {
      if (this.current === link) this.current = undefined
    })
  }

  private join(link: Joined, end: 0 | 1): void {
    const { world, ends, lines } = this
    const other = end === 0 ? 1 : 0
    const line = lines[end]
    const peer: Peer = {
      isAgent: false,
      send: (frame) => {
        line.send(frame.length + HEAD_BYTES, () => this.deliver(link, other, frame))
        const isTwice = this.duplication > 0 && frameHead(frame).type === 'update'
        if (!isTwice || !world.random.chance(this.duplication)) return
        world.events.after(world.random.between(0, 200), () => {
          if (!link.isBroken) line.send(frame.length + HEAD_BYTES, () => this.deliver(link, other, frame))
        })
      },
      close: () => this.end(50),
      get buffered() {
        return line.waiting
      },
    }
    link.isJoined[end] = true
    ends[end].join(link.members[end], peer, ends[other].name)
  }

  private deliver(link: Joined, end: 0 | 1, frame: Uint8Array): void {
    if (link.isBroken || !link.isJoined[end]) return
    const { world, ends } = this
    world.log?.(`${ends[end].name} < ${ends[end === 0 ? 1 : 0].name}: ${describeFrame(frame)}`)
    ends[end].receiveFrom(link.members[end], frame)
  }
}
