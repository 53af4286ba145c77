import { CLOSE, isFinalCloseCode } from '@skein/protocol'
import { backoffMs } from '@skein/sync'
import { SkeinError } from './errors.js'
import type { Platform, Socket } from './platform.js'

/** What happens to a link. */
export interface LinkEvents {
  opened(): void
  frame(frame: Uint8Array): void
  /** It was open, and is not any more; or an attempt has failed. */
  ended(wasOpen: boolean): void
}

/** A socket that is not open after this time is given up, */
const OPEN_WITHIN_MS = 10_000
/** with this code. One without a code is not needed any more. */
const GAVE_UP = 4000

/**
 * One relay or server of the list: its socket, its attempts with their backoff, its refusals. When an attempt is
 * wanted is for others to say.
 */
export class RelayLink {
  state: 'idle' | 'connecting' | 'waiting' | 'open' | 'refused' = 'idle'
  /** When the next attempt may start, in milliseconds of `Date.now()`, while it waits. */
  retryAt: number | undefined
  /** What is wrong with it; until it works again. */
  error: SkeinError | undefined
  /** It cannot be kept open beside others. */
  isUnfit = false
  /** When the last attempt began, by `performance.now()`; `-Infinity` where there was none. */
  attemptedMs = Number.NEGATIVE_INFINITY

  /** What is said of it where its relay holds something else: one and the same, for statuses are compared by it. */
  readonly divergence: SkeinError
  private failures = 0
  private isWorking = false
  private socket: Socket | undefined
  private openTimer: Timer | undefined
  private retryTimer: Timer | undefined

  constructor(
    readonly url: string,
    private readonly platform: Platform,
    private readonly events: LinkEvents,
  ) {
    this.divergence = new SkeinError(
      'diverged',
      `${url} holds something else than this device after both had exchanged everything; it is tried again. Nothing is lost here. Relays of one list have to be of one cluster.`,
    )
  }

  get bufferedAmount(): number {
    return this.socket?.bufferedAmount ?? 0
  }

  attempt(): void {
    clearTimeout(this.retryTimer)
    this.retryAt = undefined
    this.state = 'connecting'
    this.isUnfit = false
    this.attemptedMs = performance.now()
    let socket: Socket
    try {
      socket = this.platform.connect(this.url)
    } catch (error) {
      // The URL was checked when the space was joined; what is left is the page's own policy, such as
      // ws: from a page served over https:.
      this.refuse('refused', `the connection is not allowed: ${String(error)}`)
      this.events.ended(false)
      return
    }
    this.socket = socket
    this.openTimer = setTimeout(() => this.ended(socket, GAVE_UP, 'no answer in time'), OPEN_WITHIN_MS)
    socket.onopen = () => {
      clearTimeout(this.openTimer)
      this.state = 'open'
      this.events.opened()
    }
    socket.onmessage = ({ data }) => {
      if (this.state === 'open' && data instanceof ArrayBuffer) this.events.frame(new Uint8Array(data))
    }
    socket.onclose = ({ code, reason }) => this.ended(socket, code, reason)
    // A close always follows; without a handler `ws` would throw.
    socket.onerror = () => {}
  }

  send(frame: Uint8Array): void {
    if (this.state === 'open') this.socket!.send(frame as Uint8Array<ArrayBuffer>)
  }

  /** Whether it works now. From when on it does, failures before count no more. */
  noteWorking(isWorking: boolean): void {
    if (isWorking && !this.isWorking) {
      this.failures = 0
      this.error = undefined
    }
    this.isWorking = isWorking
  }

  /** Not needed now. */
  rest(code?: number, reason?: string): void {
    if (this.state === 'refused') return
    this.drop(code, reason)
    this.state = 'idle'
  }

  /** What failed or was refused before may be tried at once. */
  forgive(): void {
    this.failures = 0
    this.attemptedMs = Number.NEGATIVE_INFINITY
    if (this.state !== 'waiting' && this.state !== 'refused') return
    this.drop()
    this.state = 'idle'
    this.error = undefined
  }

  /** Ends the connection for a reason of this side; `events.ended` is not called. */
  close(code: number, reason: string): void {
    this.drop(code, reason)
    if (isFinalCloseCode(code)) this.refuseAs(code, reason)
    else this.failed(code, reason)
  }

  /** The socket is closed, or is given up. */
  private ended(socket: Socket, code: number, reason: string): void {
    if (socket !== this.socket) return
    const wasOpen = this.state === 'open'
    this.drop(code === GAVE_UP ? code : undefined, reason)
    if (isFinalCloseCode(code)) this.refuseAs(code, reason)
    else this.failed(code, reason)
    this.events.ended(wasOpen)
  }

  private failed(code: number, reason: string): void {
    const what =
      reason || (code === 0 || code === 1006 ? 'the connection failed' : 'the connection was closed')
    this.error = new SkeinError(
      'unreachable',
      `${this.url} is not reached: ${what}${code === 0 ? '' : ` (close code ${code})`}. Edits are kept on this device; it is tried again.`,
    )
    this.failures++
    const waitMs = backoffMs(this.failures, Math.random())
    this.state = 'waiting'
    this.retryAt = Date.now() + waitMs
    this.retryTimer = setTimeout(() => {
      this.state = 'idle'
      this.retryAt = undefined
      this.events.ended(false)
    }, waitMs)
  }

  private refuseAs(code: number, reason: string): void {
    const kind =
      code === CLOSE.wrongEpoch ? 'wrong-epoch' : code === CLOSE.unfaithful ? 'unfaithful' : 'refused'
    this.refuse(kind, `${reason || 'no reason given'} (close code ${code})`)
  }

  private refuse(kind: 'refused' | 'wrong-epoch' | 'unfaithful', why: string): void {
    this.state = 'refused'
    // What the session had to say of it is more precise.
    if (this.error?.code === kind && kind !== 'refused') return
    const message =
      kind === 'unfaithful'
        ? `${this.url} is not used: ${why}. Edits are kept on this device; call connect() to try again.`
        : `${this.url} refused the connection: ${why}. Edits are kept on this device; call connect() to try again.`
    this.error = new SkeinError(kind, message)
  }

  /** Lets go of the socket; nothing of it is heard again. */
  private drop(code?: number, reason?: string): void {
    const { socket } = this
    clearTimeout(this.openTimer)
    clearTimeout(this.retryTimer)
    this.retryAt = undefined
    this.socket = undefined
    this.isWorking = false
    if (socket === undefined) return
    socket.onopen = null
    socket.onmessage = null
    socket.onclose = null
    socket.onerror = () => {}
    // Browsers let nobody close with codes below 3000, but for 1000.
    const mayBeSent = code !== undefined && (code >= 3000 || code === 1000)
    socket.close(mayBeSent ? code : undefined, mayBeSent ? closeReason(reason ?? '') : undefined)
  }
}

type Timer = ReturnType<typeof setTimeout>

/** A close reason has at most 123 bytes of UTF-8. */
function closeReason(reason: string): string {
  return reason.replace(/[^\x20-\x7e]/g, '?').slice(0, 120)
}
