import type { Socket } from 'node:net'
import { type Direction, SEGMENT_BYTES } from './direction.js'

/** Bytes of one direction that the line holds; beyond, its sender has to. */
export const HELD_BYTES_MAX = 256 * 1024
/** Timers come in whole milliseconds: what is due so soon goes now. */
const SOON_MS = 0.5

/** What is on the line; the end of it is, too. */
type OnLine = { readonly dueMs: number } & (
  | { readonly segment: Buffer }
  | { readonly end: 'finished' | 'broken' }
)

/** Carries what one socket sends to the other, when its direction says that it arrives. */
export class Pump {
  private readonly line: OnLine[] = []
  private heldBytes = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private isFinished = false
  private isStopped = false

  constructor(
    private readonly source: Socket,
    private readonly sink: Socket,
    private readonly direction: Direction,
    count: (bytes: number) => void,
  ) {
    source.on('data', (chunk: Buffer) => {
      count(chunk.length)
      this.take(chunk)
    })
    source.on('end', () => {
      this.isFinished = true
      this.put({ dueMs: this.direction.arrivalMs(performance.now(), 0), end: 'finished' })
    })
    source.on('close', () => {
      if (!this.isFinished) this.put({ dueMs: this.direction.arrivalMs(performance.now(), 0), end: 'broken' })
    })
    sink.on('drain', () => this.flush())
    sink.on('close', () => this.stop())
  }

  /** What is on the line is lost, and so is what comes. */
  stop(): void {
    this.isStopped = true
    clearTimeout(this.timer)
    this.line.length = 0
    this.source.resume()
  }

  private take(chunk: Buffer): void {
    if (this.isStopped) return
    const nowMs = performance.now()
    for (let at = 0; at < chunk.length; at += SEGMENT_BYTES) {
      const segment = chunk.subarray(at, at + SEGMENT_BYTES)
      this.heldBytes += segment.length
      this.put({ dueMs: this.direction.arrivalMs(nowMs, segment.length), segment })
    }
    if (this.heldBytes > HELD_BYTES_MAX) this.source.pause()
  }

  private put(onLine: OnLine): void {
    if (this.isStopped) return
    this.line.push(onLine)
    if (this.line.length === 1) this.flush()
  }

  /** Hands over what has arrived. */
  private flush(): void {
    clearTimeout(this.timer)
    for (let first = this.line[0]; first !== undefined; first = this.line[0]) {
      const waitMs = Math.max(first.dueMs, this.direction.holeEndsMs) - performance.now()
      if (waitMs > SOON_MS) {
        this.timer = setTimeout(() => this.flush(), waitMs)
        return
      }
      if (this.sink.writableNeedDrain) return
      this.line.shift()
      this.arrive(first)
    }
  }

  private arrive(first: OnLine): void {
    if ('end' in first) {
      if (first.end === 'finished') this.sink.end()
      else this.sink.resetAndDestroy()
      return
    }
    this.sink.write(first.segment)
    this.heldBytes -= first.segment.length
    if (this.source.isPaused() && this.heldBytes <= HELD_BYTES_MAX / 2) this.source.resume()
  }
}
