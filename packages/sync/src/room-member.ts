import { type ChunkMessage, LIMITS } from '@skein/protocol'
import { type ByteBudget, Reassembly } from './chunks.js'
import type { CatchUp } from './room-catch-up.js'
import type { News } from './room-news.js'
import type { RelayMember } from './room-relay.js'

/** Pause before a member that sends updates with a gap before them is asked again; it doubles each time. */
export const ASK_AGAIN_MS = 5_000
const ASK_AGAIN_MS_MAX = 600_000

/** Updates that wait for an acknowledgement one by one. */
const WAITING_MAX = 10_000

/** What a room knows of one connection. */
export class Member {
  takesChunks = false
  /** Its hello may still come, and tell whether it takes chunks: its step 1 comes before. */
  mayTakeChunks: boolean
  /** It is another relay's room. */
  relay: RelayMember | undefined
  /** It may come back over another path. */
  hasOtherPaths = false
  /** The last numbered update that it was not told of yet to have arrived; 0 where there is none. */
  receivedTo = 0
  /** It is being closed, and nothing of it counts any more. */
  ended = false
  /** Its connection takes bytes too slowly. */
  congested = false
  /** It was given as much of a large answer as its connection should hold. */
  isFilled = false
  /** Presence went by while it was congested. */
  missedPresence = false
  /** What it still has to get before updates can be forwarded to it as they come. */
  catchUp: CatchUp | undefined
  /** What it has to hear of while it stands by; undefined while it takes part. */
  news: News | undefined
  private inbound: Reassembly | undefined
  /** Numbered updates whose log position is not on disk yet, oldest first. */
  private readonly waiting: Waiting[] = []
  /** The same for a majority of the cluster's disks. */
  private readonly waitingForQuorum: Waiting[] = []
  readonly joinedMs: number
  private askAfterMs: number
  private askPauseMs = ASK_AGAIN_MS

  /** @param skein its URL offers Skein */
  constructor(
    public lastSentMs: number,
    readonly skein: boolean,
    private readonly inboundBudget: ByteBudget,
  ) {
    this.joinedMs = lastSentMs
    this.askAfterMs = lastSentMs
    this.mayTakeChunks = skein
  }

  /** A part of a message; the whole of it with the last one. @throws as `Reassembly.add` */
  addChunk(chunk: ChunkMessage): Uint8Array | undefined {
    // Most members never send any.
    this.inbound ??= new Reassembly(LIMITS.messageBytesMax, this.inboundBudget)
    return this.inbound.add(chunk)
  }

  /** Gives back what it holds of what all share. */
  end(): void {
    this.inbound?.clear()
  }

  /** A numbered update is safe when this log position is on disk. */
  awaitAcknowledgement(seq: number, position: number): void {
    add(this.waiting, seq, position)
  }

  /** The same for a majority of the cluster. */
  awaitQuorum(seq: number, position: number): void {
    add(this.waitingForQuorum, seq, position)
  }

  takeQuorum(position: number): Acknowledged[] {
    return this.waitingForQuorum.length === 0 ? [] : take(this.waitingForQuorum, position)
  }

  /** The numbers whose positions are on disk; rejected numbers leave gaps, so each run of neighbours is one range. */
  takeAcknowledged(committedPosition: number): Acknowledged[] {
    return take(this.waiting, committedPosition)
  }

  /** Whether it may be asked now for what is missing before its updates; it counts as asked then. */
  mayBeAsked(nowMs: number): boolean {
    if (nowMs < this.askAfterMs) return false
    this.askAfterMs = nowMs + this.askPauseMs
    this.askPauseMs = Math.min(2 * this.askPauseMs, ASK_AGAIN_MS_MAX)
    return true
  }
}

interface Acknowledged {
  readonly from: number
  to: number
}

interface Waiting extends Acknowledged {
  readonly position: number
}

function add(waiting: Waiting[], seq: number, position: number): void {
  // However long the disk takes, and however many updates share a position.
  const last = waiting.at(-1)
  if (last?.position === position && last.to + 1 === seq) last.to = seq
  else if (last !== undefined && waiting.length >= WAITING_MAX && last.to + 1 === seq) {
    // The newest share one, which is acknowledged with the last of them.
    waiting[waiting.length - 1] = { from: last.from, to: seq, position }
  } else waiting.push({ from: seq, to: seq, position })
}

function take(waiting: Waiting[], position: number): Acknowledged[] {
  let count = 0
  while (count < waiting.length && waiting[count]!.position <= position) count++
  const ranges: Acknowledged[] = []
  for (const { from, to } of waiting.splice(0, count)) {
    const last = ranges.at(-1)
    if (last !== undefined && last.to + 1 === from) last.to = to
    else ranges.push({ from, to })
  }
  return ranges
}
