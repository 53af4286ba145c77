import { encodeFrame, encodeStateVector, scanUpdate } from '@skein/protocol'

/** Pause between two messages of news: a path that stands by should cost next to nothing. */
export const NEWS_EVERY_MS = 100

/** Told as the digest of what no document can hold. One that has it by chance is not compared with, and that is all. */
const INCOMPLETE = '0'.repeat(16)

/** How far each client that wrote in some updates has come. */
export type Clocks = ReadonlyMap<number, number>

/** @param clockOf how far a client has come without a gap: what is behind one is of no use to anybody yet */
export function clocksOf(updates: readonly Uint8Array[], clockOf: (client: number) => number): Clocks {
  const clocks = new Map<number, number>()
  const structs = (client: number) => {
    const clock = clockOf(client)
    if (clock > 0) clocks.set(client, clock)
  }
  for (const update of updates) scanUpdate(update, { structs, deletion() {} })
  return clocks
}

/** What a member that stands by has not heard of yet. */
export class News {
  private readonly clocks = new Map<number, number>()
  private sentMs = Number.NEGATIVE_INFINITY
  private toldDigest: string | undefined

  /** When `take` has something; undefined while there is nothing. */
  get dueMs(): number | undefined {
    return this.clocks.size === 0 ? undefined : this.sentMs + NEWS_EVERY_MS
  }

  add(clocks: Clocks): void {
    for (const [client, clock] of clocks)
      this.clocks.set(client, Math.max(this.clocks.get(client) ?? 0, clock))
  }

  /** The frame to send now, if it is time for one. */
  take(nowMs: number): Uint8Array | undefined {
    return this.dueMs === undefined || nowMs < this.dueMs ? undefined : this.frame(nowMs, {})
  }

  /**
   * The same, with the digest of what the room holds, where that was not told yet.
   * @param digest undefined while something is missing in between: that is told each time, for who has it may not know
   */
  takeWithDigest(nowMs: number, digest: string | undefined): Uint8Array | undefined {
    if (digest !== undefined && digest === this.toldDigest) return this.take(nowMs)
    this.toldDigest = digest
    return this.frame(nowMs, { digest: digest ?? INCOMPLETE })
  }

  private frame(nowMs: number, withDigest: { readonly digest?: string }): Uint8Array {
    const stateVector = encodeStateVector(this.clocks)
    this.clocks.clear()
    this.sentMs = nowMs
    return encodeFrame({ type: 'news', stateVector, ...withDigest })
  }
}
