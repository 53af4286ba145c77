import { WebSocket } from 'ws'
import { CLUSTER_LIMITS } from './limits.js'

/** Where members reach each other, on the port of the relay. */
export const CLUSTER_PATH = '/v1/cluster'

const FIRST_RETRY_MS = 50
const RETRY_MS_MAX = 2_000
/** The member with the higher id leaves it to the other to connect, unless that does not. */
const LEAVE_IT_MS = 1_000
const HANDSHAKE_WITHIN_MS = 2_000

interface Target {
  readonly url: string
  retryMs: number
  timer: ReturnType<typeof setTimeout> | undefined
  socket: WebSocket | undefined
}

/** Connects to members until there is a link to each of them, and again when it is gone. */
export class Dialer {
  private readonly targets = new Map<string, Target>()
  private isStopped = false

  constructor(
    private readonly isLinked: (id: string) => boolean,
    private readonly opened: (id: string, socket: WebSocket) => void,
  ) {}

  /** @param eager at once; otherwise after the other one had its time to do it */
  add(id: string, url: string, eager: boolean): void {
    const known = this.targets.get(id)
    if (this.isStopped || known?.url === url) return
    if (known !== undefined) this.remove(id)
    const target: Target = { url, retryMs: FIRST_RETRY_MS, timer: undefined, socket: undefined }
    this.targets.set(id, target)
    if (eager) this.dial(id, target)
    else this.retry(id, target, LEAVE_IT_MS)
  }

  /** Forgets all but these. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of [...this.targets.keys()]) if (!ids.has(id)) this.remove(id)
  }

  /** The other side took this one for a member: the next loss is mended fast. */
  succeeded(id: string): void {
    const target = this.targets.get(id)
    if (target !== undefined) target.retryMs = FIRST_RETRY_MS
  }

  /** A link is gone. */
  lost(id: string): void {
    const target = this.targets.get(id)
    if (target === undefined || target.socket !== undefined) return
    clearTimeout(target.timer)
    this.backOff(id, target)
  }

  stop(): void {
    this.isStopped = true
    this.keep(new Set())
  }

  private remove(id: string): void {
    const target = this.targets.get(id)
    this.targets.delete(id)
    clearTimeout(target?.timer)
    target?.socket?.terminate()
  }

  private dial(id: string, target: Target): void {
    target.timer = undefined
    if (this.targets.get(id) !== target || this.isLinked(id)) return
    const socket = new WebSocket(new URL(CLUSTER_PATH, target.url), {
      perMessageDeflate: false,
      maxPayload: CLUSTER_LIMITS.frameBytesMax,
      handshakeTimeout: HANDSHAKE_WITHIN_MS,
    })
    target.socket = socket
    socket.on('error', () => {})
    socket.once('close', () => {
      target.socket = undefined
      if (target.timer === undefined) this.backOff(id, target)
    })
    socket.once('open', () => this.opened(id, socket))
  }

  private backOff(id: string, target: Target): void {
    // Not in step with others that lost the same member.
    const waitMs = target.retryMs * (0.5 + Math.random() / 2)
    target.retryMs = Math.min(2 * target.retryMs, RETRY_MS_MAX)
    this.retry(id, target, waitMs)
  }

  private retry(id: string, target: Target, waitMs: number): void {
    if (this.isStopped || this.targets.get(id) !== target) return
    target.timer = setTimeout(() => this.dial(id, target), waitMs)
  }
}
