import { randomUUID } from 'node:crypto'
import { NEGOTIATION_PARAM, NEGOTIATION_VALUE, spaceNameToPath } from '@skein/protocol'
import {
  backoffMs,
  documentReplica,
  type MultipathEffects,
  MultipathSession,
  Outbox,
  type PathChoice,
  type PathId,
  type PathSwitch,
  STATE_MAP,
} from '@skein/sync'
import { WebSocket } from 'ws'
import * as Y from 'yjs'

/** As the agent: so many paths are kept open, one attempt after the other, and what is gone is replaced. */
const WARM_PATHS = 2
const STAGGER_MS = 250
const REPLACE_WITHIN_MS = 1_000
const DRAIN_CHECK_MS = 50

const FROM_RELAY = Symbol('relay')

/**
 * An agent whose choice among its paths is given: sockets and timers around the session that the agent package
 * uses, dialled as it dials. It has no store, no presence and no strong keys.
 */
export class DrivenAgent {
  readonly switches: PathSwitch[] = []
  private readonly doc = new Y.Doc()
  private readonly outbox = new Outbox()
  private readonly links: readonly Link[]
  private readonly session: MultipathSession
  private epoch = ''
  private mayDialAt = 0
  private dialTimer: Timer | undefined
  private drainTimer: Timer | undefined
  private deadlineTimer: Timer | undefined
  private readonly filled = new Set<PathId>()
  private hasLeft = false

  constructor(
    urls: readonly string[],
    space: string,
    private readonly choice: PathChoice,
  ) {
    this.links = urls.map(
      (url, id) =>
        new Link(`${url}/${spaceNameToPath(space)}?${NEGOTIATION_PARAM}=${NEGOTIATION_VALUE}`, {
          opened: () => this.run(this.session.opened(performance.now(), id)),
          frame: (frame) => this.run(this.session.receive(performance.now(), id, frame)),
          ended: (wasOpen) => this.ended(id, wasOpen),
        }),
    )
    const replica = documentReplica(this.doc, () => this.epoch)
    const options = { hasOtherPaths: urls.length > 1, scheduler: choice }
    this.session = new MultipathSession(randomUUID(), replica, this.outbox, options)
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === FROM_RELAY) return
      this.outbox.add()
      this.run(this.session.edit(performance.now(), update))
    })
    this.dial()
  }

  /** Up to date, with as many measured paths as it keeps. */
  get isReady(): boolean {
    const measured = this.links.filter((_link, id) => this.choice.report(id)?.roundTripMs !== undefined)
    return this.session.live && measured.length >= this.warmWanted
  }

  set(key: string, value: readonly (number | string)[]): void {
    this.doc.getMap(STATE_MAP).set(key, value)
  }

  leave(): void {
    this.hasLeft = true
    for (const timer of [this.dialTimer, this.drainTimer, this.deadlineTimer]) clearTimeout(timer)
    for (const link of this.links) link.rest()
  }

  private get warmWanted(): number {
    return Math.min(WARM_PATHS, this.links.length)
  }

  private ended(id: PathId, wasOpen: boolean): void {
    if (!wasOpen) {
      this.dial()
      return
    }
    this.mayDialAt = performance.now() + STAGGER_MS + Math.random() * REPLACE_WITHIN_MS
    this.run(this.session.closed(performance.now(), id))
  }

  private run(effects: MultipathEffects): void {
    if (this.hasLeft) return
    const { epoch, send, apply, close, more, switched } = effects
    if (epoch !== undefined) this.epoch = epoch
    for (const { path, frame } of send) this.links[path]!.send(frame)
    for (const update of apply) Y.applyUpdate(this.doc, update, FROM_RELAY)
    for (const { path } of close) this.links[path]!.fail()
    if (switched !== undefined) this.switches.push(switched)
    if (apply.length > 0) this.run(this.session.applied(performance.now()))
    for (const path of more) this.run(this.session.sendMore(performance.now(), path))
    for (const [id, link] of this.links.entries()) {
      if (this.session.describe(id)?.session.ready) link.failures = 0
    }
    for (const path of new Set(send.map((sent) => sent.path))) this.noteBuffered(path)
    this.dial()
    this.arm()
  }

  private noteBuffered(id: PathId): void {
    const bytes = this.links[id]!.bufferedBytes
    if (bytes === 0 && !this.filled.has(id)) return
    if (bytes > 0) this.filled.add(id)
    else this.filled.delete(id)
    this.run(this.session.buffered(performance.now(), id, bytes))
    if (this.filled.size > 0) this.drainTimer ??= setTimeout(() => this.checkDrained(), DRAIN_CHECK_MS)
  }

  private checkDrained(): void {
    this.drainTimer = undefined
    for (const id of [...this.filled]) this.noteBuffered(id)
  }

  private arm(): void {
    clearTimeout(this.deadlineTimer)
    const waitMs = Math.max(0, this.session.deadlineMs - performance.now())
    if (waitMs === Number.POSITIVE_INFINITY) return
    this.deadlineTimer = setTimeout(() => {
      this.run(this.session.timeout(performance.now(), Math.random()))
    }, waitMs)
  }

  private dial(): void {
    if (this.hasLeft) return
    clearTimeout(this.dialTimer)
    const { links } = this
    const warm = [...links.keys()].filter((id) => this.isWarm(id))
    if (warm.length >= this.warmWanted) {
      this.restSurplus(warm)
      return
    }
    const next = links.find(({ state }) => state === 'idle')
    if (next === undefined) return
    const isBusy = links.some(({ state }) => state === 'open' || state === 'connecting')
    const waitMs = isBusy ? this.mayDialAt - performance.now() : 0
    if (waitMs > 0) {
      this.dialTimer = setTimeout(() => this.dial(), waitMs)
      return
    }
    this.mayDialAt = performance.now() + STAGGER_MS
    next.attempt()
    this.dial()
  }

  private restSurplus(warm: readonly PathId[]): void {
    for (const link of this.links) if (link.state === 'connecting') link.rest()
    if (warm.length <= this.warmWanted) return
    const surplus = warm.findLast((id) => id !== this.session.active)!
    this.links[surplus]!.rest()
    this.run(this.session.closed(performance.now(), surplus))
  }

  private isWarm(id: PathId): boolean {
    return this.links[id]!.state === 'open' && this.session.describe(id)?.report?.state !== 'silent'
  }
}

interface LinkEvents {
  opened(): void
  frame(frame: Uint8Array): void
  ended(wasOpen: boolean): void
}

/** A socket and its attempts. */
class Link {
  state: 'idle' | 'connecting' | 'waiting' | 'open' = 'idle'
  failures = 0
  private socket: WebSocket | undefined
  private retryTimer: Timer | undefined

  constructor(
    private readonly url: string,
    private readonly events: LinkEvents,
  ) {}

  get bufferedBytes(): number {
    return this.socket?.bufferedAmount ?? 0
  }

  attempt(): void {
    this.state = 'connecting'
    const socket = new WebSocket(this.url, { perMessageDeflate: false })
    this.socket = socket
    socket.on('open', () => {
      if (socket !== this.socket) return
      this.state = 'open'
      this.events.opened()
    })
    socket.on('message', (data: Buffer) => {
      if (socket === this.socket) this.events.frame(new Uint8Array(data))
    })
    socket.on('close', () => {
      if (socket !== this.socket) return
      const wasOpen = this.state === 'open'
      this.fail()
      this.events.ended(wasOpen)
    })
    // A close always follows.
    socket.on('error', () => {})
  }

  send(frame: Uint8Array): void {
    if (this.state === 'open') this.socket!.send(frame)
  }

  rest(): void {
    this.drop()
    this.state = 'idle'
  }

  /** It is given up, and may be tried again after a while. */
  fail(): void {
    this.drop()
    this.failures++
    this.state = 'waiting'
    this.retryTimer = setTimeout(
      () => {
        this.state = 'idle'
        this.events.ended(false)
      },
      backoffMs(this.failures, Math.random()),
    )
  }

  private drop(): void {
    clearTimeout(this.retryTimer)
    this.socket?.terminate()
    this.socket = undefined
  }
}

type Timer = ReturnType<typeof setTimeout>
