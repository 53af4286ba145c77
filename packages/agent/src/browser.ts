/** The entry for browsers. */

import { BROWSER_SOCKETS } from './browser-sockets.js'
import { joinSpaceOn } from './join.js'
import type { Platform } from './platform.js'
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
  ...BROWSER_SOCKETS,
  openStore: (space, options) => openIndexedDbStore(options.databaseName ?? `skein/${space}`),
  storeRequired: (options) => options.store !== undefined,
  tabsByDefault: typeof BroadcastChannel === 'function',
}
