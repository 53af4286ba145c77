import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly body: string
}

/**
 * One keep-alive connection, one request at a time: no more HTTP than the contenders' answers need. Node's
 * own client costs as much as a server's answer does, and the clients share the machine with what they
 * measure.
 */
export class HttpConnection {
  private received: Buffer = EMPTY
  private settle: { resolve(answer: Answer): void; reject(error: Error): void } | undefined

  private constructor(
    private readonly socket: Socket,
    private readonly host: string,
  ) {
    socket.on('data', (chunk) => this.take(chunk))
    socket.on('error', (error) => this.fail(error))
    socket.on('close', () => this.fail(new Error('the server closed the connection')))
  }

  static async open(port: number): Promise<HttpConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new HttpConnection(socket, `127.0.0.1:${port}`)
  }

  /** @param headers whole lines, each with its line end */
  request(method: string, path: string, headers: string, body = ''): Promise<Answer> {
    if (this.settle !== undefined) throw new Error('a request is under way')
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject }
      const length =
        body === '' ? '' : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
      this.socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${this.host}\r\n${headers}${length}\r\n${body}`)
    })
  }

  close(): void {
    this.socket.destroy()
  }

  private take(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk])
    const answer = parse(this.received)
    if (answer === undefined || this.settle === undefined) return
    const { resolve } = this.settle
    this.settle = undefined
    this.received = EMPTY
    resolve(answer)
  }

  private fail(error: Error): void {
    const settle = this.settle
    this.settle = undefined
    settle?.reject(error)
  }
}

const EMPTY = Buffer.alloc(0)
const HEAD_END = '\r\n\r\n'
/** `HTTP/1.1 200 OK` */
const STATUS_AT = 9

function parse(bytes: Buffer): Answer | undefined {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const head = bytes.toString('latin1', 0, headEnd)
  const status = Number(head.slice(STATUS_AT, STATUS_AT + 3))
  const bodyAt = headEnd + HEAD_END.length
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) {
    const end = bodyAt + Number(length)
    return bytes.length < end ? undefined : { status, body: bytes.toString('utf8', bodyAt, end) }
  }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const body = unchunked(bytes.subarray(bodyAt))
    return body === undefined ? undefined : { status, body }
  }
  return { status, body: '' }
}

/** The content of chunks, undefined while the last one is missing. */
function unchunked(bytes: Buffer): string | undefined {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const end = lineEnd + 2 + size
    if (bytes.length < end + 2) return undefined
    if (size === 0) return Buffer.concat(parts).toString()
    parts.push(bytes.subarray(lineEnd + 2, end))
    at = end + 2
  }
}
