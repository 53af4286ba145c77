import type { Log } from '../log/log.js'
import type { Rooms } from '../rooms.js'
import { Walk } from './walk.js'

/** Pause before a walk is repeated that left something behind. */
const AGAIN_MS = 10_000

export interface WalksOptions {
  readonly log: Log
  readonly rooms: () => Rooms
  readonly newPeerId: () => number
  readonly isConnected: (member: string) => boolean
  readonly isRefused: (space: string, member: string) => boolean
  readonly onError: (error: unknown) => void
}

/**
 * Brings what this relay has to members that may lack it: to each when it is first reached, and again where a room
 * has ended here before a member had all of it.
 */
export class Walks {
  /** Members that have all, but for what is linked. */
  private readonly upToDate = new Set<string>()
  private readonly running = new Map<string, Walk>()
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>()
  private isStopped = false

  constructor(private readonly options: WalksOptions) {}

  /** Whether a member has been brought all that is here. */
  isUpToDate(member: string): boolean {
    return this.upToDate.has(member) && !this.running.has(member)
  }

  connected(member: string): void {
    if (this.isStopped || this.upToDate.has(member) || this.running.has(member)) return
    clearTimeout(this.timers.get(member))
    this.timers.delete(member)
    const { log, rooms, newPeerId, isRefused } = this.options
    const walk = new Walk(log, rooms(), newPeerId, member, (space) => isRefused(space, member))
    this.running.set(member, walk)
    this.upToDate.add(member)
    walk
      .run()
      .catch((error: unknown) => {
        if (!this.isStopped) this.options.onError(error)
        return false
      })
      .then((isComplete) => {
        this.running.delete(member)
        // Also what it may have missed behind the walk, which has been there already.
        if (!isComplete || !this.upToDate.has(member)) this.missed(member)
      })
  }

  /**
   * A member is gone. It may miss what is written meanwhile, and others may have been on their way to getting
   * something from it that is here, in rooms where nobody of this relay's own is.
   */
  disconnected(member: string, others: readonly string[]): void {
    this.upToDate.delete(member)
    for (const other of others) if (other !== member) this.missed(other)
  }

  /** A room has ended that this member may lack something of. */
  missed(member: string): void {
    this.upToDate.delete(member)
    if (this.isStopped || this.timers.has(member) || !this.options.isConnected(member)) return
    const timer = setTimeout(() => {
      this.timers.delete(member)
      if (this.options.isConnected(member)) this.connected(member)
    }, AGAIN_MS)
    timer.unref()
    this.timers.set(member, timer)
  }

  stop(): void {
    this.isStopped = true
    for (const timer of this.timers.values()) clearTimeout(timer)
    for (const walk of this.running.values()) walk.stop()
  }
}
