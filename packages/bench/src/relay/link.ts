import { decodeFrame, encodeFrame, type Message, type UnknownMessage } from '@skein/protocol'
import { WebSocket } from 'ws'
import type { Contender } from './contender.js'
import { type Framing, framingOf } from './framing.js'

/** A joiner of a large space may get all of it in one frame. */
const FRAME_BYTES_MAX = 1024 ** 3

/** A connection to a room of a contender, in messages. It keeps no document. */
export class Link {
  readonly closed: Promise<void>
  private readonly socket: WebSocket
  private readonly framing: Framing

  private constructor(
    contender: Contender,
    room: string,
    onMessage: (message: Message | UnknownMessage) => void,
    numbered: boolean,
  ) {
    this.framing = framingOf(contender.name, room)
    const url = `${contender.url}/${room}${numbered ? '?skein=1' : ''}`
    this.socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: FRAME_BYTES_MAX })
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
    this.socket.on('error', () => {})
    this.socket.on('message', (frame: Buffer) => {
      const message = this.framing.unwrap(new Uint8Array(frame.buffer, frame.byteOffset, frame.length))
      if (message[0] !== AUTH_ID) onMessage(decodeFrame(message))
    })
  }

  /** `numbered`: the URL offers Skein, so that updates with numbers are acknowledged. */
  static async open(
    contender: Contender,
    room: string,
    onMessage: (message: Message | UnknownMessage) => void,
    { numbered = false } = {},
  ): Promise<Link> {
    const link = new Link(contender, room, onMessage, numbered)
    await link.event('open')
    const { greeting } = link.framing
    if (greeting !== undefined) {
      const answered = link.event('message')
      link.socket.send(greeting)
      await answered
    }
    return link
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount
  }

  send(message: Message): void {
    this.socket.send(this.framing.wrap(encodeFrame(message)))
  }

  /** Resolves when the server has read everything that was sent before. */
  async taken(): Promise<void> {
    const answered = this.event('pong')
    this.socket.ping()
    await answered
  }

  /** Stops reading from the network, as a client that hangs does. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  close(): void {
    this.socket.terminate()
  }

  private event(name: 'open' | 'message' | 'pong'): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once(name, () => resolve())
      this.socket.once('error', reject)
      void this.closed.then(() => reject(new Error(`the connection was closed before "${name}"`)))
    })
  }
}

/** Auth has no meaning for a benchmark beyond the greeting, and Hocuspocus packs it in its own way. */
const AUTH_ID = 2
