import {
  AWARENESS_NULL,
  type AwarenessEntry,
  isAwarenessNull,
  LIMITS,
  ProtocolError,
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

/** How long a client that is gone, or silent, is remembered. Stock clients drop the silent after 30 s. */
const FORGET_AFTER_MS = 60_000

/**
 * The presence of a room's clients: the newest state of each, as bytes. JSON is checked but never built.
 */
export class RoomPresence {
  private readonly clients = new Map<number, Present>()

  /**
   * Takes an awareness update and returns the part of it that is news, for the other members.
   * @throws ProtocolError
   */
  receive(nowMs: number, member: number, update: Uint8Array): Uint8Array | undefined {
    const entries = readAwarenessEntries(update)
    const news = entries.filter((entry) => isNews(entry, this.clients.get(entry.client)))
    const unknown = news.filter((entry) => !this.clients.has(entry.client)).length
    if (this.clients.size + unknown > LIMITS.awarenessEntriesMax) {
      throw new ProtocolError('too-large', `more than ${LIMITS.awarenessEntriesMax} clients present`)
    }
    for (const { client, clock, state } of news) {
      // A copy: the view would keep the socket's whole receive buffer alive.
      this.clients.set(client, { clock, state: state.slice(), member, seenMs: nowMs, left: false })
    }
    if (news.length === 0) return undefined
    return news.length === entries.length ? update : writeAwarenessEntries(news)
  }

  /** Everybody present, or undefined if nobody is. */
  all(): Uint8Array | undefined {
    const entries: AwarenessEntry[] = []
    for (const [client, { clock, state }] of this.clients) {
      if (!isAwarenessNull(state)) entries.push({ client, clock, state })
    }
    return entries.length === 0 ? undefined : writeAwarenessEntries(entries)
  }

  /** A connection is gone; returns what to tell the others, if it had brought anybody. */
  memberLeft(nowMs: number, member: number): Uint8Array | undefined {
    const gone: AwarenessEntry[] = []
    for (const [client, present] of this.clients) {
      if (present.member !== member || isAwarenessNull(present.state)) continue
      // The same clock: y-protocols takes a null at the clock it knows, and a client that comes back
      // counts on from there.
      this.clients.set(client, { ...present, state: AWARENESS_NULL, seenMs: nowMs, left: true })
      gone.push({ client, clock: present.clock, state: AWARENESS_NULL })
    }
    return gone.length === 0 ? undefined : writeAwarenessEntries(gone)
  }

  /** Drops clients that have been gone, or silent, for long. */
  forget(nowMs: number): void {
    for (const [client, { seenMs }] of this.clients) {
      if (nowMs - seenMs > FORGET_AFTER_MS) this.clients.delete(client)
    }
  }
}

function isNews({ clock, state }: AwarenessEntry, known: Present | undefined): boolean {
  if (known === undefined || clock > known.clock) return true
  if (clock < known.clock) return false
  return known.left || (isAwarenessNull(state) && !isAwarenessNull(known.state))
}
