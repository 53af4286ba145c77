import { scanUpdate } from '@skein/protocol'
import * as Y from 'yjs'
import type { Contender } from './contender.js'
import { Link } from './link.js'
import { settled } from './pace.js'

/** A client that counts the clocks it is given (characters, where text is typed), however they are packed into frames. */
export class Receiver {
  received = 0
  closed = false
  private link: Link | undefined

  static async connect(
    contender: Contender,
    room: string,
    onStruct: (clock: number, count: number) => void = () => {},
  ): Promise<Receiver> {
    const receiver = new Receiver()
    receiver.link = await Link.open(contender, room, (message) => {
      if (message.type !== 'update') return
      scanUpdate(message.update, {
        structs: (_client, clock, length) => {
          receiver.received += length
          onStruct(clock, length)
        },
        deletion() {},
      })
    })
    void receiver.link.closed.then(() => {
      receiver.closed = true
    })
    return receiver
  }

  close(): void {
    this.link?.close()
  }
}

/** Waits until each of them has been given so many clocks. */
export async function allReceived(receivers: readonly Receiver[], count: number): Promise<void> {
  while (receivers.some(({ received }) => received < count)) {
    if (receivers.some(({ closed }) => closed)) throw new Error('the server closed a reader')
    await settled()
  }
}

/** A client that keeps a document, and can stop reading. */
export class Replica {
  readonly doc = new Y.Doc()
  closed = false
  private link: Link | undefined

  static async connect(contender: Contender, room: string): Promise<Replica> {
    const replica = new Replica()
    replica.link = await Link.open(contender, room, (message) => {
      if (message.type === 'update' || message.type === 'sync-step-2') {
        Y.applyUpdate(replica.doc, message.update)
      }
    })
    void replica.link.closed.then(() => {
      replica.closed = true
    })
    return replica
  }

  pause(): void {
    this.link?.pause()
  }

  resume(): void {
    this.link?.resume()
  }

  close(): void {
    this.link?.close()
  }
}
