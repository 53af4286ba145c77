import { CLOSE, isFinalCloseCode } from '@skein/protocol'
import type { Socket } from '../platform.js'

export interface AttemptEvents {
  /** A relay has accepted a connection; nothing has been sent over it yet. */
  opened(protocol: string): void
  /** An attempt has failed, or a connection has ended. Whoever made it does not know yet. */
  ended(): void
}

/** Follows the connections that are made to relays: which are open, and which relays have been tried in vain. */
export class Attempts {
  /** The last close with a code that says that trying again is no use. */
  refusal: { readonly code: number; readonly reason: string } = {
    // What forbids a connection without any code is the page's own policy.
    code: CLOSE.originNotAllowed,
    reason: 'the connection is not allowed',
  }
  private readonly open = new Set<Socket>()
  private readonly failed = new Set<string>()

  constructor(
    private readonly urls: readonly string[],
    private readonly connectTo: (url: string) => Socket,
    private readonly events: AttemptEvents,
  ) {}

  /** Whether nothing is open and every relay has failed since something was. */
  get exhausted(): boolean {
    return this.open.size === 0 && this.urls.every((url) => this.failed.has(url))
  }

  /** Makes a connection that is followed. */
  connect(url: string): Socket {
    let inner: Socket
    try {
      inner = this.connectTo(url)
    } catch (error) {
      this.failed.add(url)
      this.events.ended()
      throw error
    }
    return this.follow(url, inner)
  }

  private follow(url: string, inner: Socket): Socket {
    let isOver = false
    const over = (code: number, reason: string, isFailure = true) => {
      if (isOver) return
      isOver = true
      this.open.delete(outer)
      if (isFailure) this.failed.add(url)
      if (isFinalCloseCode(code)) this.refusal = { code, reason }
      this.events.ended()
    }
    const outer: Socket = {
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
      get bufferedAmount() {
        return inner.bufferedAmount
      },
      send: (frame) => inner.send(frame),
      close: (code, reason) => {
        // What is closed without any complaint, open or on its way, is not needed any more.
        over(code ?? 0, reason ?? '', code !== undefined)
        inner.close(code, reason)
      },
    }
    inner.onopen = () => {
      if (!isOver) {
        this.open.add(outer)
        this.failed.clear()
        this.events.opened((inner as { protocol?: string }).protocol ?? '')
      }
      outer.onopen?.()
    }
    inner.onmessage = (event) => outer.onmessage?.(event)
    inner.onclose = ({ code, reason }) => {
      over(code, reason)
      outer.onclose?.({ code, reason })
    }
    inner.onerror = (event) => outer.onerror?.(event)
    return outer
  }
}
