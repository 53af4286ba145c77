import { onTestFinished } from 'vitest'
import { Awareness } from 'y-protocols/awareness'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { Socket, Sockets } from '../../src/platform.js'
import type { FailoverWebSocket } from '../../src/websocket/failover.js'
import { failoverWebSocket } from '../../src/websocket/node.js'
import { until } from '../helpers.js'

export interface StockClient {
  readonly doc: Y.Doc
  readonly provider: WebsocketProvider
  /** What the provider has said of its connection, in order. */
  readonly statuses: string[]
  /** The present connection. */
  readonly socket: () => FailoverWebSocket
}

/** A document with the stock provider, y-websocket 3.1.0 as published, over these relays. */
export function stockClient(relays: readonly string[], room = 'home', doc = new Y.Doc()): StockClient {
  const provider = new WebsocketProvider(relays[0]!, room, doc, {
    WebSocketPolyfill: failoverWebSocket(relays),
    disableBc: true,
    awareness: new Awareness(doc),
  })
  onTestFinished(() => {
    provider.awareness.destroy()
    provider.destroy()
  })
  const statuses: string[] = []
  provider.on('status', ({ status }) => statuses.push(status))
  return { doc, provider, statuses, socket: () => provider.ws as FailoverWebSocket }
}

/** What the relay at the other end of a connection would see and do. */
export class ScriptedSocket implements Socket {
  onopen: Socket['onopen'] = null
  onmessage: Socket['onmessage'] = null
  onclose: Socket['onclose'] = null
  onerror: Socket['onerror'] = null
  bufferedAmount = 0
  protocol = ''
  readonly sent: Uint8Array[] = []
  isClosed = false

  constructor(
    readonly url: string,
    readonly protocols: readonly string[],
  ) {}

  send(frame: Uint8Array): void {
    this.sent.push(frame)
  }

  close(): void {
    this.isClosed = true
  }

  receive(frame: Uint8Array): void {
    this.onmessage?.({ data: frame.slice().buffer })
  }

  end(code = 1006, reason = ''): void {
    this.isClosed = true
    this.onclose?.({ code, reason })
  }
}

/** Connections to relays that do what the test says; newest last. */
export class ScriptedSockets implements Sockets {
  readonly made: ScriptedSocket[] = []
  readonly watchers = new Set<() => void>()

  connect(url: string, protocols: readonly string[] = []): Socket {
    const socket = new ScriptedSocket(url, protocols)
    this.made.push(socket)
    return socket
  }

  watch(wake: () => void): () => void {
    this.watchers.add(wake)
    return () => this.watchers.delete(wake)
  }

  get last(): ScriptedSocket {
    return this.made.at(-1)!
  }

  /** Those that have not ended. */
  get alive(): ScriptedSocket[] {
    return this.made.filter(({ isClosed }) => !isClosed)
  }

  /**
   * The connection to a relay that has not ended, once there is one.
   * @param dead a relay that ends each attempt meanwhile
   */
  async to(relay: string, dead?: string): Promise<ScriptedSocket> {
    const find = (url: string) => this.alive.find((socket) => socket.url.startsWith(url))
    await until(`a connection to ${relay}`, () => {
      if (dead !== undefined) find(dead)?.end()
      return find(relay) !== undefined
    })
    return find(relay)!
  }
}
