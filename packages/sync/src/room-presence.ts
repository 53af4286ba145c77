import {
  AWARENESS_NULL,
  type AwarenessEntry,
  isAwarenessNull,
  readAwarenessEntries,
  writeAwarenessEntries,
} from '@skein/protocol'

interface Present {
  readonly clock: number
  readonly state: Uint8Array
  /** The connection that brought the newest state: when it goes, this client goes. */
  readonly member: number
  readonly seenMs: number
  /** Gone because its connection went; it may come back with the same clock. */
  readonly left: boolean
}

/** Presence of one room in bytes, as kept and as sent to a joiner; the surplus is dropped. */
const PRESENCE_BYTES_MAX = 1024 * 1024
/** What a client counts beside its state. */
const ENTRY_BYTES = 64

/** A client whose connection went may be on its way over another path: so long the others are not told. */
export const LINGER_MS = 2_000

/** How long a client that is gone, or silent, is remembered. Stock clients drop the silent after 30 s. */
const FORGET_AFTER_MS = 60_000

const NOBODY = () => false
const EVERYBODY = () => true

/**
 * The presence of a room's clients: the newest state of each, as bytes. JSON is checked but never built.
 */
export class RoomPresence {
  private readonly clients = new Map<number, Present>()
  private bytes = 0
  /** Connections that went, and when the others are told. */
  private readonly lingering = new Map<number, number>()

  /** When `lingered` has something to tell; Infinity while there is nothing. */
  get dueMs(): number {
    // In the order in which they went.
    for (const dueMs of this.lingering.values()) return dueMs
    return Number.POSITIVE_INFINITY
  }

  /** A connection is gone whose clients may come back over another path; `lingered` tells if they did not. */
  memberLost(nowMs: number, member: number): void {
    this.lingering.set(member, nowMs + LINGER_MS)
  }

  /** What to tell the others of clients that did not come back in time. */
  lingered(nowMs: number): Uint8Array | undefined {
    const gone: AwarenessEntry[] = []
    for (const [member, dueMs] of this.lingering) {
      if (dueMs > nowMs) break
      this.lingering.delete(member)
      gone.push(...this.takeOut(nowMs, member))
    }
    return gone.length === 0 ? undefined : writeAwarenessEntries(gone)
  }

  /**
   * Takes an awareness update and returns the part of it that is news, for the other members.
   * @param knows whether this room knows better of a client whose newest presence that connection has brought: what
   *   others say of its end is not believed, but contradicted
   * @throws ProtocolError
   */
  receive(
    nowMs: number,
    member: number,
    update: Uint8Array,
    knows: (member: number) => boolean = NOBODY,
  ): { readonly news: Uint8Array | undefined; readonly contradiction: Uint8Array | undefined } {
    const entries = readAwarenessEntries(update)
    const contradicted: AwarenessEntry[] = []
    const news = entries.filter((entry) => {
      const known = this.clients.get(entry.client)
      if (!this.isNews(entry, known)) return false
      if (known === undefined || entry.clock > known.clock || !knows(known.member)) return true
      contradicted.push({ client: entry.client, clock: known.clock, state: known.state })
      return false
    })
    const contradiction = contradicted.length === 0 ? undefined : writeAwarenessEntries(contradicted)
    const taken: AwarenessEntry[] = []
    for (const entry of news) {
      const { client, clock, state } = entry
      const more = state.length - (this.clients.get(client)?.state.length ?? -ENTRY_BYTES)
      // A crowd that some connection makes up must not keep honest newcomers out, nor fill the memory.
      if (more > 0 && this.bytes + more > PRESENCE_BYTES_MAX) continue
      this.bytes += more
      taken.push(entry)
      // A copy: the view would keep the socket's whole receive buffer alive.
      this.clients.set(client, { clock, state: state.slice(), member, seenMs: nowMs, left: false })
    }
    if (taken.length === 0) return { news: undefined, contradiction }
    return { news: taken.length === entries.length ? update : writeAwarenessEntries(taken), contradiction }
  }

  /** Everybody present whose newest presence one of these connections has brought, or undefined if nobody is. */
  all(isWanted: (member: number) => boolean = EVERYBODY): Uint8Array | undefined {
    const entries: AwarenessEntry[] = []
    for (const [client, { clock, state, member }] of this.clients) {
      if (!isAwarenessNull(state) && isWanted(member)) entries.push({ client, clock, state })
    }
    return entries.length === 0 ? undefined : writeAwarenessEntries(entries)
  }

  /** A connection is gone; returns what to tell the others, if it had brought anybody. */
  memberLeft(nowMs: number, member: number): Uint8Array | undefined {
    const gone = this.takeOut(nowMs, member)
    return gone.length === 0 ? undefined : writeAwarenessEntries(gone)
  }

  private takeOut(nowMs: number, member: number): AwarenessEntry[] {
    const gone: AwarenessEntry[] = []
    for (const [client, present] of this.clients) {
      if (present.member !== member || isAwarenessNull(present.state)) continue
      // The same clock: y-protocols takes a null at the clock it knows, and a client that comes back
      // counts on from there.
      this.bytes += AWARENESS_NULL.length - present.state.length
      this.clients.set(client, { ...present, state: AWARENESS_NULL, seenMs: nowMs, left: true })
      gone.push({ client, clock: present.clock, state: AWARENESS_NULL })
    }
    return gone
  }

  private isNews({ clock, state }: AwarenessEntry, known: Present | undefined): boolean {
    if (known === undefined || clock > known.clock) return true
    if (clock < known.clock) return false
    // Also where its connection went just now, so that it belongs to the one that brings it again.
    if (known.left || this.lingering.has(known.member)) return true
    return isAwarenessNull(state) && !isAwarenessNull(known.state)
  }

  /** Drops clients that have been gone, or silent, for long. */
  forget(nowMs: number): void {
    for (const [client, { seenMs, state }] of this.clients) {
      if (nowMs - seenMs <= FORGET_AFTER_MS) continue
      this.clients.delete(client)
      this.bytes -= ENTRY_BYTES + state.length
    }
  }
}
