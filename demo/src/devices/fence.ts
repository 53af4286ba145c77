/** A command as the strong region decided it. */
export interface Fenced {
  /** The fencing token: it rises with every decision for this device. */
  readonly fence: number
  /** Unsafe commands: when they stop being good, in milliseconds of `Date.now()`. */
  readonly until: number | undefined
}

/** `known`: the very command that was taken before, as after a restart of the bridge. */
export type Verdict = 'take' | 'known' | 'old-fence' | 'expired'

/**
 * The device's own guard. No lease or lock keeps a paused agent from waking up and going on with what it
 * was doing, so the resource itself must refuse what is overtaken: a fence lower than the highest it has
 * seen, and a command whose moment has passed. The fence of an expired command counts as seen.
 */
export class FenceGate {
  #highest = 0

  get highest(): number {
    return this.#highest
  }

  /** After a restart, with the fence that was reported before it. */
  restore(fence: number): void {
    this.#highest = Math.max(this.#highest, fence)
  }

  judge({ fence, until }: Fenced, now: number): Verdict {
    if (fence < this.#highest) return 'old-fence'
    if (fence === this.#highest) return 'known'
    this.#highest = fence
    return until !== undefined && now > until ? 'expired' : 'take'
  }
}
