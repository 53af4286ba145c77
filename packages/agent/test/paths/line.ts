import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A TCP line to a relay that a test can silence, in one direction or both, and that counts what it carries. */
export class Line {
  /** Bytes that came from the relay. */
  bytesBack = 0
  /** What is sent arrives so much later. */
  delayMs = 0
  private readonly silent = new Set<Direction>()
  private readonly held: (() => void)[] = []
  private readonly sockets = new Set<Socket>()

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {
    server.on('connection', (from) => this.accept(from))
  }

  static async to(url: string): Promise<Line> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const line = new Line(server, Number(new URL(url).port))
    onTestFinished(() => line.end())
    return line
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Nothing arrives any more, and nobody is told; what is sent waits. */
  silence(...directions: Direction[]): void {
    for (const direction of directions) this.silent.add(direction)
  }

  /** What waited arrives now. */
  heal(): void {
    this.silent.clear()
    for (const pass of this.held.splice(0)) pass()
  }

  end(): void {
    for (const socket of this.sockets) socket.destroy()
    this.server.close()
  }

  private accept(from: Socket): void {
    const to = connect(this.target, '127.0.0.1')
    this.pipe(from, to, 'there')
    this.pipe(to, from, 'back')
  }

  private pipe(source: Socket, sink: Socket, direction: Direction): void {
    this.sockets.add(source)
    source.setNoDelay(true)
    source.on('error', () => {})
    source.on('data', (bytes) => {
      if (direction === 'back') this.bytesBack += bytes.length
      const pass = () => void (sink.destroyed || sink.write(bytes))
      if (this.silent.has(direction)) this.held.push(pass)
      else if (this.delayMs > 0) setTimeout(pass, this.delayMs)
      else pass()
    })
    source.on('close', () => {
      this.sockets.delete(source)
      sink.destroy()
    })
  }
}

export type Direction = 'there' | 'back'
