import type { Socket } from 'node:net'
import type { LineMode } from '../model/lab.js'

/** Bytes that are kept for later, in one direction of one connection; beyond, the sender has to wait. */
export const HELD_BYTES_MAX = 256 * 1024

interface Held {
  /** `end`: no more will be sent. `close`: the sender is gone. They take as long as anything else. */
  readonly what: Buffer | 'end' | 'close'
  readonly dueMs: number
}

/** One direction of a connection over a line: hands on, in order, what its source sends, when it is due. */
export class Direction {
  readonly #source: Socket
  readonly #sink: Socket
  readonly #line: { readonly mode: LineMode; readonly delayMs: number }
  readonly #held: Held[] = []
  #bytes = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(source: Socket, sink: Socket, line: { readonly mode: LineMode; readonly delayMs: number }) {
    this.#source = source
    this.#sink = sink
    this.#line = line
    source.on('data', (chunk: Buffer) => this.#hold(chunk))
    source.on('end', () => this.#hold('end'))
    source.on('close', () => this.#hold('close'))
    sink.on('drain', () => this.flush())
    sink.on('close', () => clearTimeout(this.#timer))
  }

  /** What is kept for later now: chunks, and how many bytes they have; ends and closes are things of no bytes. */
  get held(): { readonly things: number; readonly bytes: number } {
    return { things: this.#held.length, bytes: this.#bytes }
  }

  /** Hands on what may be, and waits for the rest. */
  flush(): void {
    clearTimeout(this.#timer)
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
      if (this.#line.mode === 'silent' || this.#sink.writableNeedDrain) return
      const waitMs = first.dueMs - performance.now()
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.flush(), waitMs)
        return
      }
      this.#held.shift()
      this.#deliver(first.what)
    }
  }

  #hold(what: Held['what']): void {
    this.#held.push({ what, dueMs: performance.now() + this.#line.delayMs })
    if (typeof what === 'object') this.#bytes += what.length
    if (this.#bytes > HELD_BYTES_MAX) this.#source.pause()
    this.flush()
  }

  #deliver(what: Held['what']): void {
    if (what === 'end') this.#sink.end()
    // After what was handed on before, and at once if that is done.
    else if (what === 'close') this.#sink.destroySoon()
    else {
      if (this.#sink.writable) this.#sink.write(what)
      this.#bytes -= what.length
      if (this.#bytes <= HELD_BYTES_MAX) this.#source.resume()
    }
  }
}
