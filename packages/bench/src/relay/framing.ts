import type { ContenderName } from './contender.js'

/** How a contender packs the messages of y-websocket into its frames. */
export interface Framing {
  /** Sent first on a new connection, which is open once something has answered it. */
  readonly greeting: Uint8Array | undefined
  wrap(frame: Uint8Array): Uint8Array
  unwrap(frame: Uint8Array): Uint8Array
}

export function framingOf(name: ContenderName, room: string): Framing {
  return name === 'hocuspocus' ? new HocuspocusFraming(room) : PLAIN
}

const PLAIN: Framing = { greeting: undefined, wrap: (frame) => frame, unwrap: (frame) => frame }

const HOCUSPOCUS_SYNC_REPLY = 4

/** Hocuspocus puts the document's name before each message, and wants a token before anything else. */
class HocuspocusFraming implements Framing {
  readonly greeting: Uint8Array
  private readonly prefix: Uint8Array

  constructor(room: string) {
    const name = new TextEncoder().encode(room)
    // Names of benchmarks are short, so their length is one byte.
    this.prefix = Uint8Array.of(name.length, ...name)
    // Message 2 is auth, its kind 0 brings a token; here one of one character.
    this.greeting = this.wrap(Uint8Array.of(2, 0, 1, 'x'.charCodeAt(0)))
  }

  wrap(frame: Uint8Array): Uint8Array {
    const wrapped = new Uint8Array(this.prefix.length + frame.length)
    wrapped.set(this.prefix)
    wrapped.set(frame, this.prefix.length)
    return wrapped
  }

  unwrap(frame: Uint8Array): Uint8Array {
    const message = frame.subarray(this.prefix.length)
    if (message[0] !== HOCUSPOCUS_SYNC_REPLY) return message
    const sync = message.slice()
    sync[0] = 0
    return sync
  }
}
