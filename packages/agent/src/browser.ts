/** The entry for browsers. */

import { joinSpaceOn } from './join.js'
import type { Platform, Socket } from './platform.js'
import { openIndexedDbStore } from './store/indexeddb-store.js'
import type { JoinOptions, Space } from './types.js'

export * from './index.js'

/**
 * Joins a space. Resolves as soon as the stored replica is loaded, online or not; connecting goes on in
 * the background (`status`, `whenSynced`).
 * @param name 1 to 128 characters; see `checkSpaceName` in @skein/protocol
 * @throws SkeinError `bad-space-name`, `bad-relay-url`, `bad-value`. A store that cannot be opened does
 *   not throw: the space goes on in memory, and `status.store` and `status.error` say so.
 */
export function joinSpace(name: string, options: JoinOptions = {}): Promise<Space> {
  return joinSpaceOn(BROWSER, name, options)
}

const BROWSER: Platform = {
  connect(url) {
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    return socket as Socket
  },
  openStore: (space, options) => openIndexedDbStore(options.databaseName ?? `skein/${space}`),
  storeRequired: (options) => options.store !== undefined,
  tabsByDefault: typeof BroadcastChannel === 'function',
  watch(wake, hide) {
    // A worker has no document; its page tells it nothing about visibility.
    const page = typeof document === 'undefined' ? undefined : document
    const onVisible = () => {
      if (page?.visibilityState === 'visible') wake()
    }
    globalThis.addEventListener('online', wake)
    globalThis.addEventListener('pageshow', wake)
    globalThis.addEventListener('pagehide', hide)
    page?.addEventListener('visibilitychange', onVisible)
    return () => {
      globalThis.removeEventListener('online', wake)
      globalThis.removeEventListener('pageshow', wake)
      globalThis.removeEventListener('pagehide', hide)
      page?.removeEventListener('visibilitychange', onVisible)
    }
  },
}
