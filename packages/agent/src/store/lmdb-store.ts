import { GroupCommit, type Write } from './group-commit.js'
import { openDirectory } from './lmdb-directory.js'
import { asSkeinError, causeOf } from './lmdb-errors.js'
import { appendAfterLast, loadReplica, type Root } from './lmdb-replica.js'
import type { Store, StoredReplica } from './store.js'

/**
 * Opens a store in an LMDB environment of its own, in Node. Several processes may have it open.
 *
 * Appends resolve after LMDB has flushed the transaction (fdatasync of the pages, then a synchronous
 * write of the meta page). Every record carries a CRC-32.
 * @param directory the store's own directory; created where it is missing
 * @param space the name of the space, so that a directory is never used for another one
 * @throws SkeinError `store-unavailable`, `store-full`, `store-foreign`, `store-corrupt`
 */
export async function openLmdbStore(directory: string, space: string): Promise<Store> {
  const openRoot = await loadLmdb(directory)
  const root = await openDirectory(directory, space, 'create', openRoot)
  return new LmdbStore(directory, root, () => openDirectory(directory, space, 'existing', openRoot))
}

/** LMDB is loaded on demand, so that programs without a store on disk need no native code. */
async function loadLmdb(directory: string): Promise<() => Root> {
  try {
    const { open } = await import('lmdb')
    return () => open({ path: directory, ...OPTIONS })
  } catch (error) {
    throw asSkeinError(error, directory)
  }
}

const OPTIONS = {
  encoding: 'binary',
  // Without these two, a name with a dot would be taken for a file, and commits would resolve when
  // they are visible but not yet flushed.
  noSubdir: false,
  overlappingSync: false,
  // The write lock, which other processes wait for, is then never held across a turn of our event loop.
  eventTurnBatching: false,
} as const

class LmdbStore implements Store {
  readonly kind = 'lmdb'
  readonly #directory: string
  readonly #reopen: () => Promise<Root>
  readonly #group: GroupCommit
  #root: Root | undefined

  constructor(directory: string, root: Root, reopen: () => Promise<Root>) {
    this.#directory = directory
    this.#root = root
    this.#reopen = reopen
    this.#group = new GroupCommit((writes) => this.#commit(writes))
  }

  async load(): Promise<StoredReplica> {
    this.#root ??= await this.#reopen()
    try {
      return loadReplica(this.#root, this.#directory)
    } catch (error) {
      throw asSkeinError(error, this.#directory)
    }
  }

  append(update: Uint8Array, queued: number): Promise<void> {
    return this.#group.add({ update, queued })
  }

  setQueued(queued: number): Promise<void> {
    return this.#group.add({ queued })
  }

  setEpoch(epoch: string): Promise<void> {
    return this.#group.add({ epoch })
  }

  setStrong(prefixes: readonly string[]): Promise<void> {
    return this.#group.add({ strong: prefixes })
  }

  async close(): Promise<void> {
    await this.#group.close()
    const root = this.#root
    this.#root = undefined
    await root?.close().catch(() => {})
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    this.#root ??= await this.#reopen()
    try {
      while (!(await appendAfterLast(this.#root, writes))) {}
    } catch (error) {
      const cause = await causeOf(error)
      // After some failures LMDB takes no more transactions in this environment; a new one is cheap.
      await this.#root.close().catch(() => {})
      this.#root = undefined
      throw asSkeinError(cause, this.#directory)
    }
  }
}
