import { SkeinError } from '../errors.js'

/** A close reason has at most so many bytes of UTF-8. */
const REASON_BYTES_MAX = 123

/** What `onopen` and its like hold. */
interface Handlers {
  open: WebSocket['onopen']
  message: WebSocket['onmessage']
  error: WebSocket['onerror']
  close: WebSocket['onclose']
}

/**
 * What a WebSocket is from outside: states, constants, handlers and events, in the order and with the errors of
 * the standard. What happens with the bytes is up to the subclass.
 */
export abstract class SocketShape extends EventTarget implements WebSocket {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSING = 2
  static readonly CLOSED = 3
  readonly CONNECTING = 0
  readonly OPEN = 1
  readonly CLOSING = 2
  readonly CLOSED = 3

  binaryType: BinaryType = 'blob'
  readonly extensions = ''
  abstract readonly url: string
  abstract readonly bufferedAmount: number

  private state: 0 | 1 | 2 | 3 = 0
  private agreedProtocol = ''
  private readonly handlers: Handlers = { open: null, message: null, error: null, close: null }

  constructor() {
    super()
    this.addEventListener('open', (event) => this.handlers.open?.call(this, event))
    this.addEventListener('message', (event) => this.handlers.message?.call(this, event as MessageEvent))
    this.addEventListener('error', (event) => this.handlers.error?.call(this, event))
    this.addEventListener('close', (event) => this.handlers.close?.call(this, event as CloseEvent))
  }

  /** The bytes of a frame from the application; the connection is open. */
  protected abstract fromApplication(frame: Uint8Array): void
  /** The application has closed; `closed` is to be called once nothing is left to do. */
  protected abstract beginClose(code: number, reason: string): void

  get readyState(): 0 | 1 | 2 | 3 {
    return this.state
  }

  get protocol(): string {
    return this.agreedProtocol
  }

  get onopen(): WebSocket['onopen'] {
    return this.handlers.open
  }

  set onopen(handler: WebSocket['onopen']) {
    this.handlers.open = handler
  }

  get onmessage(): WebSocket['onmessage'] {
    return this.handlers.message
  }

  set onmessage(handler: WebSocket['onmessage']) {
    this.handlers.message = handler
  }

  get onerror(): WebSocket['onerror'] {
    return this.handlers.error
  }

  set onerror(handler: WebSocket['onerror']) {
    this.handlers.error = handler
  }

  get onclose(): WebSocket['onclose'] {
    return this.handlers.close
  }

  set onclose(handler: WebSocket['onclose']) {
    this.handlers.close = handler
  }

  /**
   * Sends one message of y-websocket's protocol. After the close it is dropped, as by any WebSocket.
   * @throws SkeinError `bad-frame` for strings and Blobs; DOMException `InvalidStateError` while connecting
   */
  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
    if (this.state === this.CONNECTING) {
      throw new DOMException('the connection is not open yet', 'InvalidStateError')
    }
    if (typeof data === 'string' || data instanceof Blob) {
      const what = typeof data === 'string' ? 'a string' : 'a Blob'
      const message = `messages are bytes, an ArrayBuffer or a view of one; ${what} was given, nothing was sent`
      throw new SkeinError('bad-frame', message)
    }
    if (this.state !== this.OPEN) return
    const frame = ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data)
    this.fromApplication(frame)
  }

  /**
   * Closes. What was sent before is brought to a relay first, if that takes no longer than 2 s.
   * @param code 1000 or 3000 to 4999
   * @param reason at most 123 bytes of UTF-8
   * @throws DOMException `InvalidAccessError` (code), `SyntaxError` (reason)
   */
  close(code?: number, reason = ''): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException(`the close code ${code} is neither 1000 nor 3000 to 4999`, 'InvalidAccessError')
    }
    if (new TextEncoder().encode(reason).length > REASON_BYTES_MAX) {
      throw new DOMException(`the reason is over ${REASON_BYTES_MAX} bytes`, 'SyntaxError')
    }
    if (this.state >= this.CLOSING) return
    const wasOpen = this.state === this.OPEN
    this.state = this.CLOSING
    this.beginClose(wasOpen ? (code ?? NO_STATUS) : ABNORMAL, wasOpen ? reason : '')
  }

  /** The connection is open from now on. */
  protected opened(protocol: string): void {
    this.agreedProtocol = protocol
    this.state = this.OPEN
    this.dispatchEvent(new Event('open'))
  }

  /** Gives the application a message, if it has not closed. */
  protected deliver(frame: Uint8Array<ArrayBuffer>): void {
    if (this.state !== this.OPEN) return
    const isWhole = frame.byteLength === frame.buffer.byteLength
    const buffer = isWhole ? frame.buffer : frame.slice().buffer
    const data = this.binaryType === 'arraybuffer' ? buffer : new Blob([buffer])
    this.dispatchEvent(new MessageEvent('message', { data }))
  }

  /** Something went wrong that does not end the connection. */
  protected failed(error: SkeinError): void {
    this.dispatchEvent(Object.assign(new Event('error'), { error, message: error.message }))
  }

  /** It is over. The application hears of it in a microtask, never within a call of its own. */
  protected closed(code: number, reason: string): void {
    this.state = this.CLOSING
    queueMicrotask(() => {
      this.state = this.CLOSED
      if (code === ABNORMAL) this.dispatchEvent(new Event('error'))
      this.dispatchEvent(closeEvent(code, reason))
    })
  }
}

/** Close codes that are never sent: no code was given; the connection broke, or never was. */
const NO_STATUS = 1005
export const ABNORMAL = 1006

function closeEvent(code: number, reason: string): Event {
  const init = { code, reason, wasClean: code !== ABNORMAL }
  // Node has the class from 23 on.
  return typeof CloseEvent === 'function'
    ? new CloseEvent('close', init)
    : Object.assign(new Event('close'), init)
}
