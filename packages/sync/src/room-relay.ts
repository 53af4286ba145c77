import { encodeFrame } from '@skein/protocol'
import { EMPTY_UPDATE } from './merge.js'

/** What a room knows of the other relays of its cluster. */
export interface RelayCluster {
  /** This relay's name in it. */
  readonly self: string
  /** Whether it has other relays, so that there is more than one disk to speak of. */
  readonly isShared: boolean
  /** Names who makes up the cluster: another one after each change of members. Undefined before it is formed. */
  readonly configuration: string | undefined
  /** Whether these, this one included, are a majority; during a change of members of the old and of the new. */
  isQuorum(ids: ReadonlySet<string>): boolean
}

/** Marks that wait for their acknowledgement. */
const MARKS_MAX = 10_000

/**
 * A member that is another relay's room. What it has on disk is found out by marks: numbered updates without
 * content, behind what it was sent. Their acknowledgement says that everything before them is on its disk.
 */
export class RelayMember {
  /** It has everything up to here on its disk. */
  position = -1
  /** It has asked, and was answered: from then on it is sent all that comes. */
  isSynced = false
  private seq = 0
  private markedPosition = -1
  private readonly marks: { readonly seq: number; readonly position: number }[] = []
  /** What the room held when it was last asked what it has. */
  private comparedDigest: string | undefined

  constructor(
    /** Its name in the cluster. */
    readonly id: string,
  ) {}

  /** A mark behind what it was sent, which is everything up to this position; undefined if it has one there. */
  mark(position: number): Uint8Array | undefined {
    if (position === this.markedPosition) return undefined
    this.markedPosition = position
    this.seq++
    // The newest share one, which is acknowledged with the last of them.
    if (this.marks.length >= MARKS_MAX) this.marks.pop()
    this.marks.push({ seq: this.seq, position })
    return encodeFrame({ type: 'numbered-update', seq: this.seq, answersStep1: false, update: EMPTY_UPDATE })
  }

  /** Whether a mark waits for its acknowledgement. */
  get owesMark(): boolean {
    return this.marks.length > 0
  }

  /** Its acknowledgement of marks; true where it is news. A number that was never sent says nothing. */
  acknowledged(to: number): boolean {
    if (to > this.seq) return false
    const before = this.position
    while (this.marks.length > 0 && this.marks[0]!.seq <= to) {
      this.position = Math.max(this.position, this.marks.shift()!.position)
    }
    return this.position > before
  }

  /** Whether it had better be asked now whether both have the same; then it counts as asked. */
  mustCompare(digest: string | undefined): boolean {
    if (digest === this.comparedDigest) return false
    this.comparedDigest = digest
    return true
  }
}

/** The last position that a majority has on disk. */
export function quorumPosition(
  own: { readonly id: string; readonly position: number },
  others: readonly RelayMember[],
  { isQuorum }: RelayCluster,
): number {
  const positions = [own.position, ...others.map(({ position }) => Math.min(position, own.position))]
  for (const position of positions.sort((a, b) => b - a)) {
    const ids = new Set([own.id, ...others.filter((other) => other.position >= position).map(({ id }) => id)])
    if (own.position >= position && isQuorum(ids)) return position
  }
  return -1
}
