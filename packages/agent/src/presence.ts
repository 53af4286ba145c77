import { Awareness, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness'
import type * as Y from 'yjs'
import { copyValue } from './checked.js'
import { isolated } from './isolated.js'
import type { Json, Presence, PresentAgent } from './types.js'

/** Presence over y-protocols' awareness, which already renews itself every 15 s and forgets after 30 s. */
export class AwarenessPresence implements Presence {
  readonly awareness: Awareness

  constructor(doc: Y.Doc, initial: Readonly<Record<string, Json>>) {
    // First: an awareness that is made has a timer.
    const state = copyValue(initial) as Record<string, Json>
    this.awareness = new Awareness(doc)
    this.awareness.setLocalState(state)
  }

  set(fields: Readonly<Record<string, Json>>): void {
    const state = this.awareness.getLocalState()
    if (state === null) return
    this.awareness.setLocalState({ ...state, ...(copyValue(fields) as Record<string, Json>) })
  }

  agents(): PresentAgent[] {
    const self = this.awareness.clientID
    return [...this.awareness.getStates()]
      .map(([clientId, state]) => ({ clientId, state, isSelf: clientId === self }))
      .sort((a, b) => a.clientId - b.clientId)
  }

  observe(callback: (agents: PresentAgent[]) => void): () => void {
    const listener = () => isolated(() => callback(this.agents()))
    this.awareness.on('change', listener)
    return () => this.awareness.off('change', listener)
  }

  /**
   * Says "I am here" anew. With a higher clock, because whoever saw this agent vanish with its last
   * connection would ignore the old one.
   */
  renew(): void {
    this.awareness.setLocalState(this.awareness.getLocalState())
  }

  /** The presence of these clients as an awareness update. */
  encode(clients: readonly number[]): Uint8Array {
    return encodeAwarenessUpdate(this.awareness, [...clients])
  }

  /** This agent's goodbye as an awareness update; it itself goes on. */
  encodeGone(): Uint8Array {
    return encodeAwarenessUpdate(this.awareness, [this.awareness.clientID], new Map())
  }

  /** Everybody's presence as an awareness update. */
  encodeAll(): Uint8Array {
    return this.encode([...this.awareness.getStates().keys()])
  }

  /** Forgets agents that can no longer be heard of. */
  forget(keep: ReadonlySet<number>, origin: unknown): void {
    const gone = [...this.awareness.getStates().keys()].filter(
      (client) => client !== this.awareness.clientID && !keep.has(client),
    )
    removeAwarenessStates(this.awareness, gone, origin)
    // Their clocks, too: on return they are told with the clock they had, which would not count as news.
    for (const client of gone) this.awareness.meta.delete(client)
  }
}
