/** The entry for Node. */
import path from 'node:path'
import { joinSpaceOn } from './join.js'
import { NODE_SOCKETS } from './node-sockets.js'
import type { Platform } from './platform.js'
import { openLmdbStore } from './store/lmdb-store.js'
import { memoryStore } from './store/memory-store.js'
import type { JoinOptions, Space } from './types.js'

export * from './index.js'

/**
 * Joins a space. Resolves as soon as the stored replica is loaded, online or not; connecting goes on in
 * the background (`status`, `whenSynced`).
 * @param name 1 to 128 characters; see `checkSpaceName` in @skein/protocol
 * @throws SkeinError `bad-space-name`, `bad-relay-url`, `bad-value`; with `dataDir` also
 *   `store-unavailable`, `store-foreign`, `store-corrupt`
 */
export function joinSpace(name: string, options: JoinOptions = {}): Promise<Space> {
  return joinSpaceOn(NODE, name, options)
}

const NODE: Platform = {
  ...NODE_SOCKETS,
  async openStore(space, { dataDir }) {
    if (dataDir === undefined) return memoryStore()
    // Encoded, so that no name leaves the directory or clashes with another; a dot at the start too.
    return openLmdbStore(path.join(dataDir, encodeURIComponent(space).replace(/^\./, '%2E')), space)
  },
  storeRequired: (options) => options.store !== undefined || options.dataDir !== undefined,
  tabsByDefault: false,
}
