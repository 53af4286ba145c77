import type { Store } from './store/store.js'
import type { JoinOptions } from './types.js'

/** How connections are made in browsers and in Node. */
export interface Sockets {
  /**
   * Starts a WebSocket connection with `binaryType` "arraybuffer".
   * @param protocols subprotocols to offer; none by default
   */
  connect(url: string, protocols?: readonly string[]): Socket
  /**
   * Calls `wake` when connections should be tried at once: online, visible, or back from the browser's
   * cache; `hide` when the page goes, for good or into that cache. Returns the end of it.
   */
  watch(wake: () => void, hide: () => void): () => void
}

/** What differs between browsers and Node. */
export interface Platform extends Sockets {
  /**
   * The store for a space when the options ask for none in particular.
   * @throws SkeinError `store-unavailable`, `store-foreign`
   */
  openStore(space: string, options: JoinOptions): Promise<Store>
  /** Whether a store that cannot be opened makes `joinSpace` reject; otherwise it goes on in memory. */
  storeRequired(options: JoinOptions): boolean
  readonly tabsByDefault: boolean
}

/** The part of the WebSocket interface that browsers and `ws` share and that is needed here. */
export interface Socket {
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number; reason: string }) => void) | null
  onerror: ((event: unknown) => void) | null
  readonly bufferedAmount: number
  send(frame: Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
}
