import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'
import type { After } from './until.js'

/** `hold` keeps what is sent, as a network does that delivers nothing and says nothing, and lets it go later. */
export type Passage = 'open' | 'hold'

/** A TCP proxy from one process to another, whose directions can be stopped, each alone, and which can be cut. */
export class CutLink {
  private readonly pairs = new Set<Pair>()
  private readonly passages: Record<Direction, Passage> = { there: 'open', back: 'open' }
  private isCut = false
  private delayMs = 0

  private constructor(
    readonly port: number,
    private readonly close: () => void,
  ) {}

  /** @param target the port to connect to, asked for each connection; undefined refuses */
  static async open(after: After, target: () => number | undefined): Promise<CutLink> {
    let link: CutLink
    const server = createServer({ pauseOnConnect: true }, (socket) => link.accept(socket, target()))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    link = new CutLink((server.address() as AddressInfo).port, () => server.close())
    after(() => link.end())
    return link
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`
  }

  /** Ends all connections, and every new one at once, until `heal`. */
  cut(): void {
    this.isCut = true
    this.reset()
  }

  /** Ends all connections; new ones are welcome. */
  reset(): void {
    for (const pair of this.pairs) pair.destroy()
  }

  hold(direction: Direction): void {
    this.passages[direction] = 'hold'
    for (const pair of this.pairs) pair.update()
  }

  /** What is sent from now on arrives so much later. */
  delay(milliseconds: number): void {
    this.delayMs = milliseconds
  }

  /** All as at the beginning: what was held arrives now. */
  heal(): void {
    this.isCut = false
    this.delayMs = 0
    this.passages.there = 'open'
    this.passages.back = 'open'
    for (const pair of this.pairs) pair.update()
  }

  end(): void {
    this.cut()
    this.close()
  }

  private accept(from: Socket, port: number | undefined): void {
    from.on('error', () => {})
    if (this.isCut || port === undefined) {
      from.destroy()
      return
    }
    const to = connect({ port, host: '127.0.0.1', noDelay: true })
    from.setNoDelay(true)
    const passage = (direction: Direction) => this.passages[direction]
    const pair = new Pair(from, to, passage, () => this.delayMs)
    this.pairs.add(pair)
    for (const socket of [from, to]) {
      socket.on('error', () => {})
      socket.on('close', () => {
        pair.destroy()
        this.pairs.delete(pair)
      })
    }
    from.resume()
  }
}

export type Direction = 'there' | 'back'

/** The two sockets of one connection. */
class Pair {
  private readonly pumps: readonly Pump[]

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    passage: (direction: Direction) => Passage,
    delayMs: () => number,
  ) {
    this.pumps = [
      new Pump(from, to, () => passage('there'), delayMs),
      new Pump(to, from, () => passage('back'), delayMs),
    ]
  }

  update(): void {
    for (const pump of this.pumps) pump.flush()
  }

  destroy(): void {
    this.from.destroy()
    this.to.destroy()
  }
}

/** One direction of one connection. Holds a bounded amount; beyond, the sender's system has to. */
class Pump {
  private readonly waiting: { readonly chunk: Buffer; readonly dueAt: number }[] = []
  private bytes = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly source: Socket,
    private readonly sink: Socket,
    private readonly passage: () => Passage,
    delayMs: () => number,
  ) {
    source.on('data', (chunk: Buffer) => {
      this.waiting.push({ chunk, dueAt: Date.now() + delayMs() })
      this.bytes += chunk.length
      if (this.bytes > HELD_BYTES_MAX) source.pause()
      this.flush()
    })
    source.on('close', () => clearTimeout(this.timer))
  }

  flush(): void {
    clearTimeout(this.timer)
    if (this.passage() === 'hold') return
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      const waitMs = first.dueAt - Date.now()
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.flush(), waitMs)
        return
      }
      this.waiting.shift()
      this.bytes -= first.chunk.length
      if (this.sink.writable) this.sink.write(first.chunk)
    }
    this.source.resume()
  }
}

const HELD_BYTES_MAX = 1024 * 1024
