import { readAwarenessEntries } from '@skein/protocol'
import { applyAwarenessUpdate } from 'y-protocols/awareness'
import { FROM_RELAY, FROM_TAB } from './origins.js'
import type { AwarenessPresence } from './presence.js'
import type { TabChannel } from './tab-channel.js'

/** Who is present, between this agent, the relays and the other tabs. */
export class PresenceExchange {
  /** Clients whose presence reaches this agent through other tabs. */
  private readonly tabClients = new Set<number>()
  private isOver = false

  constructor(
    private readonly own: AwarenessPresence,
    private readonly toRelay: (update: Uint8Array) => void,
    private readonly tabs: TabChannel | undefined,
  ) {
    own.awareness.on('update', this.onUpdate)
  }

  fromRelay(update: Uint8Array): void {
    this.apply(update, FROM_RELAY)
  }

  fromTab(update: Uint8Array): void {
    this.apply(update, FROM_TAB)
  }

  /** Tells a relay or server that is new, or asks, who is here and in the tabs without one. */
  announceToRelay(): void {
    this.own.renew()
    const states = this.own.awareness.getStates()
    const viaTabs = [...this.tabClients].filter((client) => states.has(client))
    if (viaTabs.length > 0) this.toRelay(this.own.encode(viaTabs))
  }

  /** Tells another tab that is new, or was given what it lacked, who is here. */
  announceToTabs(): void {
    this.tabs?.presence(this.own.encodeAll(), false)
  }

  /** The tabs can be heard again. */
  tabsOpened(): void {
    // The goodbye had the clock that they know, so only a higher one counts.
    this.own.renew()
  }

  sayGoodbyeToTabs(): void {
    this.tabs?.presence(this.own.encodeGone(), false)
    this.tabClients.clear()
  }

  /** Who may come back over another path is waited for a little; this agent will not. */
  sayGoodbyeToRelay(): void {
    this.toRelay(this.own.encodeGone())
  }

  /** No relay is heard any more. */
  relayLost(): void {
    this.own.forget(this.tabClients, FROM_RELAY)
  }

  /** This agent leaves. */
  leave(): void {
    this.isOver = true
    this.own.awareness.setLocalState(null)
    this.own.awareness.off('update', this.onUpdate)
  }

  private apply(update: Uint8Array, origin: symbol): void {
    try {
      if (origin === FROM_TAB) {
        for (const { client } of readAwarenessEntries(update)) this.tabClients.add(client)
      }
      applyAwarenessUpdate(this.own.awareness, update, origin)
    } catch {
      // Presence is renewed every few seconds; a broken one is dropped.
    }
  }

  private readonly onUpdate = (
    { added, updated, removed }: { added: number[]; updated: number[]; removed: number[] },
    origin: unknown,
  ) => {
    if (removed.includes(this.own.awareness.clientID) && origin !== 'local') {
      // The others were told that this agent is gone.
      queueMicrotask(() => {
        if (!this.isOver) this.own.renew()
      })
    }
    const update = this.own.encode([...added, ...updated, ...removed])
    if (origin !== FROM_RELAY) this.toRelay(update)
    if (origin !== FROM_TAB) this.tabs?.presence(update, origin === FROM_RELAY)
  }
}
