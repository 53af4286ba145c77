import {
  AWARENESS_NULL,
  type AwarenessEntry,
  isAwarenessNull,
  LIMITS,
  readAwarenessEntries,
  writeAwarenessEntries,
} from '@skein/protocol'

/**
 * Who is present, as the provider and as the relays tell it. A provider repeats what it hears, and ends the
 * presence of those it has not heard of for a while; neither is for the relays to know.
 */
export class PresenceFilter {
  /** What the provider told first: itself, and tabs that it hears without a relay. */
  private readonly ours = new Map<number, AwarenessEntry>()
  /** What relays told, as the provider was told it. */
  private readonly theirs = new Map<number, AwarenessEntry>()
  /** Of them those that were not heard of since the connection was lost. */
  private unheard = new Set<number>()
  /** A provider tells of itself first. */
  private self: number | undefined

  /** The provider's own client, once it has told. */
  get own(): number | undefined {
    return this.self
  }

  /** What of the provider's news is for the relays; undefined for nothing. @throws ProtocolError */
  fromProvider(update: Uint8Array): Uint8Array | undefined {
    const entries = readAwarenessEntries(update).filter((entry) => this.isNews(entry))
    for (const entry of entries) {
      this.self ??= entry.client
      this.theirs.delete(entry.client)
      remember(this.ours, entry)
    }
    return entries.length === 0 ? undefined : writeAwarenessEntries(entries)
  }

  private isNews(entry: AwarenessEntry): boolean {
    if (this.ours.has(entry.client)) return true
    const told = this.theirs.get(entry.client)
    return told === undefined ? !isAwarenessNull(entry.state) : entry.clock > told.clock
  }

  /** Takes note of what a relay tells. @throws ProtocolError */
  fromRelay(update: Uint8Array): void {
    for (const entry of readAwarenessEntries(update)) {
      this.unheard.delete(entry.client)
      if (!this.ours.has(entry.client) && entry.client !== this.self) remember(this.theirs, entry)
    }
  }

  /** The presence that the provider brings, as an awareness update. */
  encodeOurs(): Uint8Array {
    return writeAwarenessEntries([...this.ours.values()])
  }

  /** The presence that relays told of. */
  encodeTheirs(): Uint8Array {
    return writeAwarenessEntries([...this.theirs.values()])
  }

  /**
   * Asks the provider for its own presence with a higher clock: by telling it that it is gone, which it takes
   * back. Whoever saw it vanish with a connection would ignore the old one. Undefined where it has none.
   */
  encodeRenewal(): Uint8Array | undefined {
    const own = this.self === undefined ? undefined : this.ours.get(this.self)
    return own === undefined ? undefined : writeAwarenessEntries([{ ...own, state: AWARENESS_NULL }])
  }

  /** Nobody can be heard. */
  lost(): void {
    this.unheard = new Set(this.theirs.keys())
  }

  /** A relay has told who is present: those it did not name are gone. Undefined if it named all. */
  takeGone(): Uint8Array | undefined {
    if (this.unheard.size === 0) return undefined
    const gone = [...this.unheard].flatMap((client) => this.theirs.get(client) ?? [])
    for (const { client } of gone) this.theirs.delete(client)
    this.unheard.clear()
    return writeAwarenessEntries(gone.map((entry) => ({ ...entry, state: AWARENESS_NULL })))
  }
}

/** A copy, for the entry is a view into a frame; those gone are forgotten. */
function remember(entries: Map<number, AwarenessEntry>, entry: AwarenessEntry): void {
  const known = entries.get(entry.client)
  if (known !== undefined && known.clock > entry.clock) return
  if (isAwarenessNull(entry.state)) entries.delete(entry.client)
  // More are passed on as they are: beyond it a repetition costs a message, and nothing else.
  else if (known !== undefined || entries.size < LIMITS.awarenessEntriesMax) {
    entries.set(entry.client, { ...entry, state: entry.state.slice() })
  }
}
