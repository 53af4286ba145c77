import { checkSpaceName, type ProtocolError } from '@skein/protocol'
import { SkeinError } from './errors.js'
import type { Platform } from './platform.js'
import { ReplicatedSpace } from './space.js'
import { spaceUrl } from './space-url.js'
import { memoryStore } from './store/memory-store.js'
import type { Store, StoredReplica } from './store/store.js'
import type { JoinOptions, Space } from './types.js'

/**
 * Joins a space: loads the stored replica, then connects in the background.
 * @throws SkeinError `bad-space-name`, `bad-relay-url`, `bad-value` (presence), and what the store says
 *   where it was asked for by name
 */
export async function joinSpaceOn(platform: Platform, name: string, options: JoinOptions): Promise<Space> {
  try {
    checkSpaceName(name)
  } catch (cause) {
    throw new SkeinError('bad-space-name', (cause as ProtocolError).message, { cause })
  }
  for (const relay of options.relays ?? []) spaceUrl(relay, name)
  const { store, stored, error } = await openStore(platform, name, options)
  try {
    return new ReplicatedSpace(platform, name, options, store, stored, error)
  } catch (problem) {
    await store.close()
    throw problem
  }
}

async function openStore(
  platform: Platform,
  name: string,
  options: JoinOptions,
): Promise<{ store: Store; stored: StoredReplica; error: SkeinError | undefined }> {
  let store: Store | undefined
  try {
    if (options.store === 'memory') store = memoryStore()
    else store = options.store ?? (await platform.openStore(name, options))
    return { store, stored: await store.load(), error: undefined }
  } catch (error) {
    await store?.close()
    if (platform.storeRequired(options) || !(error instanceof SkeinError)) throw error
    const memory = memoryStore()
    return { store: memory, stored: await memory.load(), error }
  }
}
