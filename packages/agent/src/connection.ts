import {
  CLOSE,
  isFinalCloseCode,
  NEGOTIATION_PARAM,
  NEGOTIATION_VALUE,
  type StrongRequestMessage,
  spaceNameToPath,
} from '@skein/protocol'
import {
  backoffMs,
  type Outbox,
  type Replica,
  Session,
  type SessionEffects,
  type SessionProblem,
  type StrongMessage,
} from '@skein/sync'
import { SkeinError } from './errors.js'
import type { Platform, Socket } from './platform.js'
import type { PathStatus, PathSwitch, Status } from './types.js'

/** What the connection tells the space. */
export interface ConnectionEvents {
  /** The replica belongs to this history of the space. */
  epoch(epoch: string): void
  apply(update: Uint8Array): void
  presence(update: Uint8Array): void
  /** The other side is new or has asked: announce who is present. */
  announce(): void
  strong(message: StrongMessage): void
  problem(problem: SessionProblem): void
  /** Anything that `status` shows may have changed. */
  changed(): void
  /** The connection is closed, and nobody can be heard through it. */
  lost(): void
}

/** A socket that is not open after this time is given up. */
const OPEN_WITHIN_MS = 10_000
/** Bytes waiting in the socket from which edits are held back and merged. */
const BUFFERED_BYTES_MAX = 4 * 1024 * 1024
/** Bytes waiting in the socket up to which more of a large message is added. */
const BUFFERED_BYTES_OF_MESSAGE = 1024 * 1024
/** How often a filled socket is looked at; browsers have no event for it. */
const DRAIN_CHECK_MS = 50
/** The two clocks have moved apart by this, or a timer is this late: machine or process has slept. */
const SLEPT_MS = 5_000

/**
 * Keeps one connection to one of the relays: sockets, timers and backoff around the pure session.
 */
export class Connection {
  state: Status['connection'] = 'offline'
  retryAt: number | undefined
  refusal: SkeinError | undefined

  private readonly urls: readonly string[]
  private readonly refused = new Set<string>()
  private turn = 0
  /** The relay of the present attempt or connection. */
  private url = ''
  private failures = 0
  private wanted = false
  private socket: Socket | undefined
  private session: Session | undefined
  private sessions = 0
  private openTimer: Timer | undefined
  private retryTimer: Timer | undefined
  private drainTimer: Timer | undefined
  private moreTimer: Timer | undefined
  private deadlineTimer: Timer | undefined
  private deadlineAt = Number.POSITIVE_INFINITY
  /** Date.now() - performance.now() at the last look; it jumps when the machine sleeps. */
  private clockOffset = clockOffset()

  constructor(
    relays: readonly string[],
    space: string,
    private readonly agentId: string,
    private readonly platform: Platform,
    private readonly replica: Replica,
    private readonly outbox: Outbox,
    private readonly events: ConnectionEvents,
  ) {
    this.urls = [...new Set(relays.map((relay) => spaceUrl(relay, space)))]
  }

  /** The path in use, if the connection is open. */
  get path(): PathStatus | undefined {
    if (this.session === undefined) return undefined
    const { kind, roundTripMs, confirms } = this.session
    return {
      kind,
      url: this.url,
      role: 'active',
      state: 'good',
      roundTripMs,
      reliability: 1,
      goodput: undefined,
      backlog: this.socket!.bufferedAmount,
      confirms: confirms.at(-1) ?? 'nothing',
      retryAt: undefined,
      error: undefined,
    }
  }

  get paths(): readonly PathStatus[] {
    return this.path === undefined ? [] : [this.path]
  }

  readonly lastSwitch: PathSwitch | undefined

  get live(): boolean {
    return this.session?.live ?? false
  }

  /** Names the connection that takes strong requests, if there is one. */
  get strongSession(): number | undefined {
    return this.session?.takesStrong ? this.sessions : undefined
  }

  connect(): void {
    this.refused.clear()
    this.refusal = undefined
    this.wanted = this.urls.length > 0
    if (!this.wanted || this.socket !== undefined) return
    this.failures = 0
    this.attempt()
  }

  disconnect(): void {
    this.wanted = false
    clearTimeout(this.retryTimer)
    this.retryAt = undefined
    this.drop()
    this.setState('offline')
  }

  /** Tries at once instead of waiting, or makes sure that what looks open is. */
  wake(): void {
    if (!this.wanted) return
    if (this.session !== undefined) this.run(this.session.probe(performance.now()))
    else if (this.socket === undefined && this.state !== 'refused') this.attempt()
  }

  /** The relay does not do what it must: the next one is tried, where there is one. */
  tryNext(): void {
    if (!this.wanted || this.session === undefined || this.urls.length - this.refused.size < 2) {
      this.wake()
      return
    }
    this.turn = this.urls.indexOf(this.url) + 1
    this.drop()
    this.attempt()
    this.events.lost()
  }

  /** Passes an edit on; what cannot be sent now is part of the next exchange. */
  edit(update: Uint8Array): void {
    if (this.session === undefined) return
    this.run(this.session.edit(update))
    if (this.session !== undefined && this.socket!.bufferedAmount > BUFFERED_BYTES_MAX) {
      this.session.congestion()
      this.drainTimer ??= setInterval(() => this.checkDrained(), DRAIN_CHECK_MS)
    }
  }

  /** Somebody waits for a confirmation of all edits made so far. */
  hurry(): void {
    this.outbox.awaitConfirmation()
    if (this.session !== undefined) this.run(this.session.hurry())
  }

  presence(update: Uint8Array): void {
    // Presence is only ever the latest: a congested connection gets the next one.
    if (this.session === undefined || this.session.congested) return
    this.run(this.session.presence(update))
  }

  strong(request: StrongRequestMessage): void {
    if (this.session !== undefined) this.run(this.session.strong(request))
  }

  private attempt(): void {
    clearTimeout(this.retryTimer)
    this.retryTimer = undefined
    this.retryAt = undefined
    this.url = this.nextUrl()
    this.setState('connecting')
    let socket: Socket
    try {
      socket = this.platform.connect(this.url)
    } catch (error) {
      // The URL was checked when the space was joined; what is left is the page's own policy, such as
      // ws: from a page served over https:.
      this.refuse(`the connection is not allowed: ${String(error)}`)
      return
    }
    this.socket = socket
    this.openTimer = setTimeout(() => this.ended(socket, 0, 'no answer in time'), OPEN_WITHIN_MS)
    socket.onopen = () => {
      clearTimeout(this.openTimer)
      this.sessions++
      this.session = new Session(this.agentId, this.replica, this.outbox, performance.now())
      this.setState('syncing')
      this.run(this.session.opened())
    }
    socket.onmessage = ({ data }) => {
      if (this.session === undefined || !(data instanceof ArrayBuffer)) return
      this.run(this.session.receive(performance.now(), new Uint8Array(data)))
    }
    socket.onclose = ({ code, reason }) => this.ended(socket, code, reason)
    // A close always follows; without a handler `ws` would throw.
    socket.onerror = () => {}
  }

  private run(effects: SessionEffects): void {
    const { session, socket } = this
    if (session === undefined || socket === undefined) return
    if (effects.epoch !== undefined) this.events.epoch(effects.epoch)
    for (const update of effects.apply) this.events.apply(update)
    for (const update of effects.presence) this.events.presence(update)
    for (const frame of effects.send) socket.send(frame as Uint8Array<ArrayBuffer>)
    for (const message of effects.strong ?? []) this.events.strong(message)
    if (effects.problem !== undefined) this.events.problem(effects.problem)
    if (effects.close !== undefined) {
      this.ended(socket, effects.close.code, effects.close.reason)
      return
    }
    // Applying may have run application code that disconnected.
    if (this.session !== session) return
    if (effects.apply.length > 0) this.run(session.applied(performance.now()))
    if (effects.more) this.moreTimer ??= setTimeout(() => this.sendMore(), 0)
    if (effects.announce) this.events.announce()
    if (session.live && this.state !== 'live') {
      this.failures = 0
      this.refusal = undefined
      this.setState('live')
    }
    this.arm(session.deadline)
    this.events.changed()
  }

  /** One timer for the session's deadline; it is moved only when that comes nearer. */
  private arm(deadline: number): void {
    if (deadline >= this.deadlineAt) return
    clearTimeout(this.deadlineTimer)
    this.deadlineAt = deadline
    this.deadlineTimer = setTimeout(() => this.deadlineCame(), Math.max(0, deadline - performance.now()))
  }

  private deadlineCame(): void {
    const lateMs = performance.now() - this.deadlineAt
    this.deadlineAt = Number.POSITIVE_INFINITY
    const { session } = this
    if (session === undefined) return
    const offset = clockOffset()
    const slept = Math.abs(offset - this.clockOffset) > SLEPT_MS
    this.clockOffset = offset
    this.run(slept ? session.probe(performance.now()) : session.timeout(performance.now()))
    // Others may have taken this agent for gone, and would see it again only with its next renewal.
    if ((slept || lateMs > SLEPT_MS) && session.live) this.events.announce()
    if (this.session !== undefined) this.arm(this.session.deadline)
  }

  private sendMore(): void {
    const { session, socket } = this
    this.moreTimer = undefined
    if (session === undefined || socket === undefined) return
    if (socket.bufferedAmount > BUFFERED_BYTES_OF_MESSAGE) {
      this.moreTimer = setTimeout(() => this.sendMore(), DRAIN_CHECK_MS)
    } else this.run(session.sendMore())
  }

  private checkDrained(): void {
    const { session, socket } = this
    if (session === undefined || socket === undefined) return
    if (socket.bufferedAmount > BUFFERED_BYTES_MAX / 2) return
    clearInterval(this.drainTimer)
    this.drainTimer = undefined
    this.run(session.relieved())
  }

  /** The socket is closed, or is given up. */
  private ended(socket: Socket, code: number, reason: string): void {
    if (socket !== this.socket) return
    const wasOpen = this.session !== undefined
    const wasLive = this.live
    this.drop(code >= 3000 ? code : undefined, reason)
    if (isFinalCloseCode(code)) {
      const kind = code === CLOSE.wrongEpoch ? 'wrong-epoch' : 'refused'
      this.refuse(`${reason || 'no reason given'} (close code ${code})`, kind)
      if (wasOpen) this.events.lost()
      return
    }
    this.failures++
    // After one that worked, again in the order of preference.
    this.turn = wasLive ? 0 : this.urls.indexOf(this.url) + 1
    this.retryLater()
    // Last: it runs code of the application.
    if (wasOpen) this.events.lost()
  }

  private refuse(why: string, kind: 'refused' | 'wrong-epoch' = 'refused'): void {
    const { url } = this
    this.refused.add(url)
    this.refusal = new SkeinError(
      kind,
      `${url} refused the connection: ${why}. Edits are kept on this device; call connect() to try again.`,
    )
    if (this.urls.some((other) => !this.refused.has(other))) {
      this.turn = this.urls.indexOf(url) + 1
      this.retryLater()
      return
    }
    this.setState('refused')
  }

  private retryLater(): void {
    if (!this.wanted) return
    const waitMs = backoffMs(Math.max(1, this.failures), Math.random())
    this.retryAt = Date.now() + waitMs
    this.retryTimer = setTimeout(() => this.attempt(), waitMs)
    this.setState('connecting')
    this.events.changed()
  }

  /** Lets go of the socket; nothing of it is heard again. */
  private drop(code?: number, reason?: string): void {
    const { socket } = this
    clearTimeout(this.openTimer)
    clearTimeout(this.deadlineTimer)
    clearInterval(this.drainTimer)
    clearTimeout(this.moreTimer)
    this.drainTimer = undefined
    this.moreTimer = undefined
    this.deadlineAt = Number.POSITIVE_INFINITY
    this.session = undefined
    this.socket = undefined
    if (socket === undefined) return
    socket.onopen = null
    socket.onmessage = null
    socket.onclose = null
    socket.onerror = () => {}
    socket.close(code, code === undefined ? undefined : closeReason(reason ?? ''))
  }

  /** The relay whose turn it is, of those that have not refused. */
  private nextUrl(): string {
    const count = this.urls.length
    const inTurn = this.urls.map((_url, i) => this.urls[(this.turn + i) % count]!)
    return inTurn.find((url) => !this.refused.has(url)) ?? inTurn[0]!
  }

  private setState(state: Status['connection']): void {
    if (state === this.state) return
    this.state = state
    this.events.changed()
  }
}

type Timer = ReturnType<typeof setTimeout>

/** The WebSocket URL of a space at a relay. @throws SkeinError `bad-relay-url` */
export function spaceUrl(relay: string, space: string): string {
  let url: URL
  try {
    url = new URL(relay)
  } catch (cause) {
    throw new SkeinError('bad-relay-url', `"${relay}" is not a URL; a relay is given as ws://host:port`, {
      cause,
    })
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new SkeinError('bad-relay-url', `"${relay}" is not a ws: or wss: URL`)
  }
  url.hash = ''
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${spaceNameToPath(space)}`
  url.searchParams.set(NEGOTIATION_PARAM, NEGOTIATION_VALUE)
  return url.href
}

function clockOffset(): number {
  return Date.now() - performance.now()
}

/** A close reason has at most 123 bytes of UTF-8. */
function closeReason(reason: string): string {
  return reason.replace(/[^\x20-\x7e]/g, '?').slice(0, 120)
}
