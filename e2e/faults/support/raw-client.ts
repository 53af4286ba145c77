import { decodeFrame, encodeFrame, type Message, spaceNameToPath } from '@skein/protocol'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import type { After } from './until.js'

/** A document comes in one frame, whatever limit the `ws` of clients has by default. */
const PAYLOAD_MAX = 1024 ** 3

export interface RawClientOptions {
  /** Offers Skein in the URL. It says no hello in any case, so it gets no optional messages. */
  readonly skein?: boolean
  readonly onMessage?: (message: Received, client: RawClient) => void
}

export type Received = ReturnType<typeof decodeFrame>

/** A bare WebSocket that speaks the protocol's frames and nothing by itself. */
export class RawClient {
  /** Set once the connection has ended. */
  code: number | undefined
  readonly closed: Promise<number>
  /** False if it ended before it was open. */
  readonly opened: Promise<boolean>
  private readonly socket: WebSocket

  constructor(url: string, space: string, { skein = true, onMessage = () => {} }: RawClientOptions = {}) {
    const address = `${url}/${spaceNameToPath(space)}${skein ? '?skein=1' : ''}`
    const socket = new WebSocket(address, { maxPayload: PAYLOAD_MAX, perMessageDeflate: false })
    this.socket = socket
    socket.on('error', () => {})
    socket.on('message', (data: Buffer) => onMessage(decodeFrame(new Uint8Array(data)), this))
    this.closed = new Promise((resolve) =>
      socket.once('close', (code) => {
        this.code = code
        resolve(code)
      }),
    )
    const open = new Promise<boolean>((resolve) => socket.once('open', () => resolve(true)))
    this.opened = Promise.race([open, this.closed.then(() => false)])
  }

  send(message: Message): void {
    this.sendBytes(encodeFrame(message))
  }

  sendBytes(frame: Uint8Array | string): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(frame)
  }

  /** Says goodbye. */
  close(): void {
    this.socket.close()
  }

  /** Goes without a word. */
  terminate(): void {
    this.socket.terminate()
  }
}

/**
 * What a relay holds of a space, asked for by a client that brings nothing of its own.
 * @returns the document, or the code that the relay closed the connection with
 */
export async function readSpace(after: After, url: string, space: string): Promise<Y.Doc | number> {
  const doc = new Y.Doc()
  let complete = () => {}
  const answered = new Promise<Y.Doc>((resolve) => {
    complete = () => resolve(doc)
  })
  const client = new RawClient(url, space, {
    onMessage: (message) => {
      if (message.type !== 'sync-step-2' && message.type !== 'update') return
      Y.applyUpdate(doc, message.update)
      if (message.type === 'sync-step-2') complete()
    },
  })
  after(() => client.terminate())
  if (await client.opened) client.send({ type: 'sync-step-1', stateVector: Uint8Array.of(0) })
  const outcome = await Promise.race([answered, client.closed])
  client.close()
  return outcome
}

/** As `readSpace`, where the relay has no reason to refuse. */
export async function mustReadSpace(after: After, url: string, space: string): Promise<Y.Doc> {
  const outcome = await readSpace(after, url, space)
  if (typeof outcome === 'number') throw new Error(`the relay closed a reader of "${space}" with ${outcome}`)
  return outcome
}

/** State vector, delete set and state: what replicas that have exchanged everything have in common. */
export function fingerprint(doc: Y.Doc): unknown {
  const byClient = (a: [number, unknown], b: [number, unknown]) => a[0] - b[0]
  return {
    stateVector: [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(byClient),
    deleteSet: [...Y.createDeleteSetFromStructStore(doc.store).clients].sort(byClient),
    state: doc.getMap('state').toJSON(),
  }
}
