import { type Replica, TAB_HELLO_MS, type TabEffects, Tabs, type TabUpdate } from '@skein/sync'

/** What the tabs tell the space. */
export interface TabEvents {
  apply(update: TabUpdate): void
  presence(update: Uint8Array): void
  announce(): void
  /** Another tab was given what it lacked. */
  answered(): void
  /** A replica with this digest is on a relay's disk. */
  confirmed(digest: string): void
  changed(): void
}

/** The BroadcastChannel around the pure `Tabs`. */
export class TabChannel {
  private channel: BroadcastChannel | undefined
  private timer: ReturnType<typeof setInterval> | undefined
  private readonly tabs: Tabs
  private readonly channelName: string

  constructor(
    space: string,
    agentId: string,
    replica: Replica,
    private readonly events: TabEvents,
  ) {
    this.channelName = `skein/${space}`
    this.tabs = new Tabs(agentId, replica)
  }

  get isOpen(): boolean {
    return this.channel !== undefined
  }

  get count(): number {
    return this.tabs.count
  }

  /** Whether another tab with a relay is there. */
  get servedByAnother(): boolean {
    return this.channel !== undefined && this.tabs.servedByAnother
  }

  open(): void {
    if (this.channel !== undefined) return
    this.channel = new BroadcastChannel(this.channelName)
    this.channel.onmessage = ({ data }: { data: unknown }) => {
      this.run(this.tabs.receive(performance.now(), data))
      this.events.changed()
    }
    this.timer = setInterval(() => this.run(this.tabs.timeout(performance.now())), TAB_HELLO_MS)
    this.run(this.tabs.opened())
  }

  close(): void {
    if (this.channel === undefined) return
    this.run(this.tabs.leaving())
    clearInterval(this.timer)
    this.channel.close()
    this.channel = undefined
  }

  edit(update: Uint8Array): void {
    this.run(this.tabs.edit(update))
  }

  fromRelay(update: Uint8Array): void {
    this.run(this.tabs.fromRelay(update))
  }

  presence(update: Uint8Array, fromRelay: boolean): void {
    this.run(this.tabs.presence(update, fromRelay))
  }

  setServed(served: boolean): void {
    this.run(this.tabs.setServed(served))
  }

  confirmed(digest: string): void {
    this.run(this.tabs.confirmed(digest))
  }

  private run(effects: TabEffects): void {
    if (this.channel === undefined) return
    for (const message of effects.post) this.channel.postMessage(message)
    for (const update of effects.apply) this.events.apply(update)
    for (const update of effects.presence) this.events.presence(update)
    if (effects.announce) this.events.announce()
    if (effects.answered) this.events.answered()
    if (effects.confirmed !== undefined) this.events.confirmed(effects.confirmed)
  }
}
