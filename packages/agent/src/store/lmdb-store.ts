import type { RootDatabase } from 'lmdb'
import { checkEntry, checkQueued, mergeEntries } from './entries.js'
import { GroupCommit, type Write } from './group-commit.js'
import { openDirectory } from './lmdb-directory.js'
import { asSkeinError } from './lmdb-errors.js'
import { seal, sealNumber, unseal, unsealNumber } from './lmdb-record.js'
import { COMPACT_ENTRIES_MIN, type Store, type StoredReplica } from './store.js'

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
  const open = () => openDirectory(directory, space, openRoot)
  return new LmdbStore(directory, open, await open())
}

type Root = RootDatabase<Buffer, number | string>

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
  readonly #open: () => Promise<Root>
  readonly #group: GroupCommit
  #root: Root | undefined

  constructor(directory: string, open: () => Promise<Root>, root: Root) {
    this.#directory = directory
    this.#open = open
    this.#root = root
    this.#group = new GroupCommit((writes) => this.#commit(writes))
  }

  async load(): Promise<StoredReplica> {
    this.#root ??= await this.#open()
    try {
      // Other processes append without our noticing.
      this.#root.resetReadTxn()
      const entries = this.#root.getKeysCount(updateKeys())
      return entries < COMPACT_ENTRIES_MIN
        ? read(this.#root, this.#directory)
        : compact(this.#root, this.#directory)
    } catch (error) {
      throw asSkeinError(error, this.#directory)
    }
  }

  append(update: Uint8Array, queued: number): Promise<void> {
    return this.#group.add(update, queued)
  }

  setQueued(queued: number): Promise<void> {
    return this.#group.add(undefined, queued)
  }

  async close(): Promise<void> {
    await this.#group.close()
    const root = this.#root
    this.#root = undefined
    await root?.close()
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    this.#root ??= await this.#open()
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

/**
 * Updates stand under rising numbers, from 1; the number of waiting edits under a name. The options are
 * a new object for each call, since lmdb-js writes into them.
 */
const updateKeys = () => ({ start: 1, end: Number.MAX_SAFE_INTEGER })
const QUEUED_KEY = 'queued'

/**
 * Stores writes in one transaction, behind the last update.
 * @returns false where another process took that place first; then nothing was stored
 */
async function appendAfterLast(root: Root, writes: readonly Write[]): Promise<boolean> {
  root.resetReadTxn()
  const next = lastKey(root) + 1
  // Keys only ever grow, and without gaps at their end. While the first is free, the others are too.
  return root.ifNoExists(next, () => {
    let key = next
    for (const { update } of writes) if (update !== undefined) root.put(key++, seal(update))
    root.put(QUEUED_KEY, sealNumber(writes.at(-1)?.queued ?? 0))
  })
}

function lastKey(root: Root): number {
  const [key] = root.getKeys({ start: Number.MAX_SAFE_INTEGER, end: 0, reverse: true, limit: 1 })
  return Number(key ?? 0)
}

function read(root: Root, directory: string): StoredReplica {
  const updates = [...root.getRange(updateKeys())].map(({ value }) =>
    checkEntry(unseal(value, directory), directory),
  )
  return { updates, queued: readQueued(root, directory) }
}

/**
 * Puts one merged update in the place of all entries. It happens in one transaction, which holds the
 * write lock from its first read on: no other process appends in between, and a crash leaves either
 * the old entries or the new one.
 */
function compact(root: Root, directory: string): StoredReplica {
  let replica: StoredReplica | undefined
  try {
    return root.transactionSync(() => {
      replica = read(root, directory)
      const merged = mergeEntries(replica.updates)
      if (merged === undefined) return replica
      const keys = [...root.getKeys(updateKeys())]
      root.put(lastKey(root) + 1, seal(merged))
      for (const key of keys) root.remove(key)
      return { updates: [merged], queued: replica.queued }
    })
  } catch (error) {
    // A full disk must not keep anyone from reading.
    const failure = asSkeinError(error, directory)
    if (failure.code === 'store-full' && replica !== undefined) return replica
    throw failure
  }
}

function readQueued(root: Root, directory: string): number {
  const record = root.get(QUEUED_KEY)
  return record === undefined ? 0 : checkQueued(unsealNumber(record, directory), directory)
}

/** LMDB rejects commits with an error that only promises the reason. */
async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> }
  if (commitError === undefined) return error
  let timer: NodeJS.Timeout | undefined
  // It leaves the promise open for the errors 1 and 2, which it takes for its own states.
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, COMMIT_ERROR_MS_MAX, error)
  })
  return Promise.race([commitError.catch((cause) => cause), timeout]).finally(() => clearTimeout(timer))
}

const COMMIT_ERROR_MS_MAX = 1000
