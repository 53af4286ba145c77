import type { IDBPDatabase } from 'idb'
import { SkeinError } from '../errors.js'
import { checkEntry, checkEpoch, checkQueued, checkStrong, mergeEntries } from './entries.js'
import { GroupCommit, lastOf, type Write } from './group-commit.js'
import { CUSTOM, IndexedDbConnection, UPDATES } from './indexeddb-connection.js'
import { COMPACT_ENTRIES_MIN, type Store, type StoredReplica } from './store.js'

/**
 * Opens a store in a browser's IndexedDB, in the format of y-indexeddb 9 (object store `updates` with
 * generated keys, object store `custom`), which may open the database before, after and meanwhile. What
 * is ours stands under {@link QUEUED_KEY}, {@link EPOCH_KEY} and {@link STRONG_KEY} in `custom`.
 *
 * Appends resolve when their transaction is complete, with strict durability where the browser has it.
 * @throws SkeinError `store-unavailable` without IndexedDB, in private modes that refuse it, or blocked
 * @throws SkeinError `store-foreign` for a database of that name in another format; it is not touched
 */
export async function openIndexedDbStore(databaseName: string): Promise<Store> {
  return new IndexedDbStore(databaseName, await IndexedDbConnection.open(databaseName))
}

/** The key in `custom` of the number of edits that wait for a relay. */
export const QUEUED_KEY = 'skein/queued'
/** The key in `custom` of the epoch. */
export const EPOCH_KEY = 'skein/epoch'
/** The key in `custom` of the prefixes of strong keys. */
export const STRONG_KEY = 'skein/strong'

class IndexedDbStore implements Store {
  readonly kind = 'indexeddb'
  readonly #place: string
  readonly #connection: IndexedDbConnection
  readonly #group: GroupCommit

  constructor(databaseName: string, connection: IndexedDbConnection) {
    this.#place = `${databaseName} (IndexedDB)`
    this.#connection = connection
    this.#group = new GroupCommit((writes) => this.#retrying((db) => write(db, writes)))
  }

  load(): Promise<StoredReplica> {
    return this.#retrying(async (db) => {
      const entries = await db.count(UPDATES)
      return entries < COMPACT_ENTRIES_MIN ? await read(db, this.#place) : await compact(db, this.#place)
    })
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
    return this.#group.add({ strong: [...prefixes] })
  }

  async close(): Promise<void> {
    await this.#group.close()
    this.#connection.drop()
  }

  /**
   * Runs a transaction, and once more on a fresh connection where it failed. A rejected transaction was
   * aborted, with one exception: the storage process may die between its commit and its answer. Then
   * the update is stored twice, which Yjs does not mind.
   */
  async #retrying<T>(transact: (db: IDBPDatabase) => Promise<T>): Promise<T> {
    try {
      return await transact(await this.#connection.get())
    } catch (error) {
      if (error instanceof SkeinError || isQuota(error)) throw this.#asSkeinError(error)
      this.#connection.drop()
    }
    try {
      return await transact(await this.#connection.get())
    } catch (error) {
      throw this.#asSkeinError(error)
    }
  }

  #asSkeinError(cause: unknown): SkeinError {
    if (cause instanceof SkeinError) return cause
    if (isQuota(cause)) {
      const message = `The browser's quota for ${this.#place} is used up. The edit was not stored. Free space on the device.`
      return new SkeinError('store-full', message, { cause })
    }
    const message = `The store ${this.#place} failed twice (${String(cause)}). The edit was not stored; later ones may be.`
    return new SkeinError('store-unavailable', message, { cause })
  }
}

/** A class of its own in recent browsers, a DOMException in others; both have the name. */
function isQuota(error: unknown): boolean {
  return error instanceof Error && error.name === 'QuotaExceededError'
}

async function write(db: IDBPDatabase, writes: readonly Write[]): Promise<void> {
  const { transaction, updates, custom } = strictTransaction(db)
  const requests: Promise<unknown>[] = []
  const { queued, epoch, strong } = lastOf(writes)
  if (queued !== undefined) requests.push(custom.put(queued, QUEUED_KEY))
  if (epoch !== undefined) requests.push(custom.put(epoch, EPOCH_KEY))
  if (strong !== undefined) requests.push(custom.put(strong, STRONG_KEY))
  for (const { update } of writes) if (update !== undefined) requests.push(updates.add(update))
  await completed(transaction, requests)
}

async function read(db: IDBPDatabase, place: string): Promise<StoredReplica> {
  const transaction = db.transaction([UPDATES, CUSTOM])
  const [entries, queued, epoch, strong] = await Promise.all([
    transaction.objectStore(UPDATES).getAll(),
    transaction.objectStore(CUSTOM).get(QUEUED_KEY),
    transaction.objectStore(CUSTOM).get(EPOCH_KEY),
    transaction.objectStore(CUSTOM).get(STRONG_KEY),
    transaction.done,
  ])
  return {
    updates: entries.map((entry) => checkEntry(entry, place)),
    queued: checkQueued(queued, place),
    epoch: checkEpoch(epoch, place),
    strong: checkStrong(strong, place),
  }
}

/**
 * Puts one merged update in the place of all entries. One transaction does it, so that no other tab can
 * append in between, and a crash leaves either the old entries or the new one.
 */
async function compact(db: IDBPDatabase, place: string): Promise<StoredReplica> {
  const { transaction, updates, custom } = strictTransaction(db)
  // Where nothing is written after all, nobody waits for it.
  transaction.done.catch(() => {})
  const [keys, values, storedQueued, storedEpoch, storedStrong] = await Promise.all([
    updates.getAllKeys(),
    updates.getAll(),
    custom.get(QUEUED_KEY),
    custom.get(EPOCH_KEY),
    custom.get(STRONG_KEY),
  ])
  const entries = values.map((value) => checkEntry(value, place))
  const rest = {
    queued: checkQueued(storedQueued, place),
    epoch: checkEpoch(storedEpoch, place),
    strong: checkStrong(storedStrong, place),
  }
  const lastKey = keys.at(-1)
  const merged = mergeEntries(entries)
  if (merged === undefined || lastKey === undefined) return { updates: entries, ...rest }
  try {
    // Everything up to the last key was read in this transaction; the merged entry comes after it.
    await completed(transaction, [updates.add(merged), updates.delete(IDBKeyRange.upperBound(lastKey))])
  } catch (error) {
    // A full disk must not keep anyone from reading.
    if (isQuota(error)) return { updates: entries, ...rest }
    throw error
  }
  return { updates: [merged], ...rest }
}

function strictTransaction(db: IDBPDatabase) {
  const transaction = db.transaction([UPDATES, CUSTOM], 'readwrite', { durability: 'strict' })
  return {
    transaction,
    updates: transaction.objectStore(UPDATES),
    custom: transaction.objectStore(CUSTOM),
  }
}

type StrictTransaction = ReturnType<typeof strictTransaction>['transaction']

/** Resolves when the transaction is complete, and rejects with the best reason there is. */
async function completed(transaction: StrictTransaction, requests: Promise<unknown>[]): Promise<void> {
  try {
    await Promise.all([...requests, transaction.done])
  } catch (error) {
    // A request that fails knows why; one that goes down with its transaction only knows that.
    throw transaction.error ?? error
  }
}
