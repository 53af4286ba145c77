import { decodeFrame, encodeFrame, scanUpdate } from '@skein/protocol'
import { WebSocket } from 'ws'
import * as Y from 'yjs'

/** Single insertions of one character each, as somebody types them: what most updates are. */
export function typedUpdates(count: number): Uint8Array[] {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  const text = doc.getText('text')
  for (let i = 0; i < count; i++) text.insert(i, 'x')
  return updates
}

/** A client that counts the characters it is given, however they are packed into frames. */
export class Receiver {
  received = 0
  frames = 0
  private readonly socket: WebSocket

  private constructor(socket: WebSocket, onCharacter: (clock: number, count: number) => void) {
    this.socket = socket
    socket.on('message', (frame: Buffer) => {
      const message = decodeFrame(frame)
      if (message.type !== 'update') return
      this.frames++
      scanUpdate(message.update, {
        structs: (_client, clock, length) => {
          this.received += length
          onCharacter(clock, length)
        },
        deletion() {},
      })
    })
  }

  static async connect(
    url: string,
    onCharacter: (clock: number, count: number) => void = () => {},
  ): Promise<Receiver> {
    return new Receiver(await open(url), onCharacter)
  }

  close(): void {
    this.socket.terminate()
  }
}

/** A client that sends updates; to a Skein relay numbered, so that it acknowledges each. */
export class Writer {
  acknowledged = 0
  private seq = 0

  private constructor(
    private readonly socket: WebSocket,
    private readonly numbered: boolean,
  ) {
    socket.on('message', (frame: Buffer) => {
      const message = decodeFrame(frame)
      if (message.type === 'ack') this.acknowledged = message.to
    })
  }

  static async connect(url: string, numbered: boolean): Promise<Writer> {
    return new Writer(await open(numbered ? `${url}?skein=1` : url), numbered)
  }

  send(update: Uint8Array): void {
    this.seq++
    this.socket.send(
      this.numbered
        ? encodeFrame({ type: 'numbered-update', seq: this.seq, answersStep1: false, update })
        : encodeFrame({ type: 'update', update }),
    )
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount
  }

  close(): void {
    this.socket.terminate()
  }
}

async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return socket
}

/** Lets everything that is ready run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Waits until a moment of `performance.now()`. */
export async function until(atMs: number): Promise<void> {
  const waitMs = atMs - performance.now()
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
}
