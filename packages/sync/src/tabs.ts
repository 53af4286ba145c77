import { decodeFrame, decodeStateVector, encodeFrame, ProtocolError, scanUpdate } from '@skein/protocol'
import type { Replica } from './session.js'

/**
 * What tabs of one device tell each other. `frame` holds stock sync and awareness messages; `relayed`
 * marks an update that came from a relay, so it need not go there.
 */
export type TabMessage =
  | { readonly kind: 'hello'; readonly from: string; readonly served: boolean; readonly answer: boolean }
  | {
      readonly kind: 'frame'
      readonly from: string
      readonly to?: string
      readonly frame: Uint8Array
      readonly relayed: boolean
    }
  /** A relay has confirmed everything that a replica with this digest holds of its device's edits. */
  | { readonly kind: 'confirmed'; readonly from: string; readonly digest: string }
  | { readonly kind: 'bye'; readonly from: string }

export interface TabUpdate {
  readonly update: Uint8Array
  /** It came from a relay. */
  readonly relayed: boolean
  /** The tab that says it has no relay: pass it on even if it is known here, so that it gets acknowledged. */
  readonly forUnserved: boolean
}

export interface TabEffects {
  readonly post: readonly TabMessage[]
  /** Updates to apply, and, unless they came from a relay, to pass on there. */
  readonly apply: readonly TabUpdate[]
  /** Awareness updates to apply, and to pass on. */
  readonly presence: readonly Uint8Array[]
  /** Give everybody's presence to `presence()`: a tab is new. */
  readonly announce?: boolean
  /** Another tab was given what it lacks: tell it who is present, too. */
  readonly answered?: boolean
  /** A replica with this digest is confirmed by a relay. */
  readonly confirmed?: string
}

/** How often a tab says that it is there. */
export const TAB_HELLO_MS = 20_000
/** When a silent tab counts as gone: hidden tabs' timers run once a minute. */
export const TAB_GONE_MS = 150_000

/**
 * One tab's view of the other tabs of its device in the same space. Every tab shares its own edits; one
 * that has a relay also hands on what comes from there, as long as another tab has none. Doubled
 * updates are harmless. Rules: SPEC.md, T1 to T7.
 */
export class Tabs {
  private readonly others = new Map<string, { served: boolean; seenMs: number }>()
  private served = false

  constructor(
    private readonly id: string,
    private readonly replica: Replica,
  ) {}

  /** Other tabs that are there. */
  get count(): number {
    return this.others.size
  }

  /** Another tab with a relay is there: without one of its own, this tab is served by it. */
  get servedByAnother(): boolean {
    return [...this.others.values()].some((tab) => tab.served)
  }

  /** This tab has come (or come back): says hello and asks for what the others have. */
  opened(): TabEffects {
    const hello = this.hello(true)
    return { ...NOTHING, post: [hello, this.askAll()], announce: true }
  }

  /** This tab goes. */
  leaving(): TabEffects {
    this.others.clear()
    return { ...NOTHING, post: [{ kind: 'bye', from: this.id }] }
  }

  /** Whether this tab has a live relay of its own. */
  setServed(served: boolean): TabEffects {
    if (served === this.served) return NOTHING
    this.served = served
    // Losing the relay: from now on the others hand on; what they had until now is asked for.
    return { ...NOTHING, post: served ? [this.hello(false)] : [this.hello(false), this.askAll()] }
  }

  /** An update of this tab's own. */
  edit(update: Uint8Array): TabEffects {
    return this.others.size === 0 ? NOTHING : { ...NOTHING, post: [this.frame({ type: 'update', update })] }
  }

  /** An update that came from the relay. */
  fromRelay(update: Uint8Array): TabEffects {
    return this.needed
      ? { ...NOTHING, post: [this.frame({ type: 'update', update }, { relayed: true })] }
      : NOTHING
  }

  /** Presence to share: this tab's own, or, where `fromRelay`, what a tab without a relay would miss. */
  presence(update: Uint8Array, fromRelay: boolean): TabEffects {
    if (this.others.size === 0 || (fromRelay && !this.needed)) return NOTHING
    return { ...NOTHING, post: [this.frame({ type: 'awareness', update })] }
  }

  /** The relay has confirmed every edit that this tab passed on. */
  confirmed(digest: string): TabEffects {
    return this.needed ? { ...NOTHING, post: [{ kind: 'confirmed', from: this.id, digest }] } : NOTHING
  }

  /** Call every `TAB_HELLO_MS`. */
  timeout(nowMs: number): TabEffects {
    for (const [id, { seenMs }] of this.others) if (nowMs - seenMs > TAB_GONE_MS) this.others.delete(id)
    return { ...NOTHING, post: [this.hello(false)] }
  }

  /** Something arrived on the channel, perhaps from another version: what is not understood is skipped. */
  receive(nowMs: number, data: unknown): TabEffects {
    if (!isTabMessage(data) || data.from === this.id) return NOTHING
    if (data.kind === 'bye') {
      this.others.delete(data.from)
      return NOTHING
    }
    const known = this.others.get(data.from)
    const served = data.kind === 'hello' ? data.served : (known?.served ?? false)
    this.others.set(data.from, { served, seenMs: nowMs })
    if (data.kind === 'confirmed') return { ...NOTHING, confirmed: data.digest }
    if (data.kind === 'frame') {
      if (data.to !== undefined && data.to !== this.id) return NOTHING
      return this.handleFrame(data.from, data.frame, data.relayed)
    }
    if (known !== undefined && !data.answer) {
      // It has just been served: what its relay told it until now has not been handed on.
      return served && !known.served && !this.served ? { ...NOTHING, post: [this.ask(data.from)] } : NOTHING
    }
    // A tab that this one did not know gets an answer, and is asked for what it has.
    return {
      ...NOTHING,
      post: data.answer ? [this.hello(false), this.ask(data.from)] : [this.ask(data.from)],
      announce: true,
    }
  }

  private handleFrame(from: string, frame: Uint8Array, relayed: boolean): TabEffects {
    try {
      const message = decodeFrame(frame)
      switch (message.type) {
        case 'sync-step-1': {
          decodeStateVector(message.stateVector)
          const update = this.replica.diff(message.stateVector)
          return {
            ...NOTHING,
            post: [this.frame({ type: 'sync-step-2', update }, { to: from })],
            answered: true,
          }
        }
        case 'sync-step-2':
        case 'update':
          scanUpdate(message.update)
          return {
            ...NOTHING,
            apply: [{ update: message.update, relayed, forUnserved: !this.isServed(from) }],
          }
        case 'awareness':
          return { ...NOTHING, presence: [message.update] }
        default:
          return NOTHING
      }
    } catch (error) {
      // Another tab's mistake is not this tab's: skip the frame.
      if (error instanceof ProtocolError) return NOTHING
      throw error
    }
  }

  private isServed(id: string): boolean {
    return this.others.get(id)?.served ?? false
  }

  /** Some other tab has no relay of its own. */
  private get needed(): boolean {
    return this.served && [...this.others.values()].some((tab) => !tab.served)
  }

  private hello(answer: boolean): TabMessage {
    return { kind: 'hello', from: this.id, served: this.served, answer }
  }

  private askAll(): TabMessage {
    return this.frame({ type: 'sync-step-1', stateVector: this.replica.stateVector() })
  }

  private ask(to: string): TabMessage {
    return this.frame({ type: 'sync-step-1', stateVector: this.replica.stateVector() }, { to })
  }

  private frame(
    message: Parameters<typeof encodeFrame>[0],
    { relayed = false, ...to }: { to?: string; relayed?: boolean } = {},
  ): TabMessage {
    return { kind: 'frame', from: this.id, frame: encodeFrame(message), relayed, ...to }
  }
}

const NOTHING: TabEffects = { post: [], apply: [], presence: [] }

function isTabMessage(data: unknown): data is TabMessage {
  if (typeof data !== 'object' || data === null) return false
  const message = data as Record<string, unknown>
  if (typeof message.from !== 'string') return false
  switch (message.kind) {
    case 'hello':
      return typeof message.served === 'boolean' && typeof message.answer === 'boolean'
    case 'frame':
      return (
        message.frame instanceof Uint8Array &&
        typeof message.relayed === 'boolean' &&
        (message.to === undefined || typeof message.to === 'string')
      )
    case 'confirmed':
      return typeof message.digest === 'string'
    case 'bye':
      return true
    default:
      return false
  }
}
