import { type IDBPDatabase, openDB } from 'idb'
import { SkeinError } from '../errors.js'

/** The object stores of y-indexeddb: updates under rising keys, and anything under names. */
export const UPDATES = 'updates'
export const CUSTOM = 'custom'

/**
 * A connection to one IndexedDB database in y-indexeddb's format. Browsers take connections away (site
 * data cleared, an out-of-disk restart of the storage process, another tab that deletes or upgrades the
 * database); after that the next `get` opens a new one.
 */
export class IndexedDbConnection {
  readonly #name: string
  #db: IDBPDatabase | undefined

  private constructor(name: string) {
    this.#name = name
  }

  /**
   * Opens the database, or creates it.
   * @throws SkeinError `store-unavailable`, `store-foreign`
   */
  static async open(name: string): Promise<IndexedDbConnection> {
    const connection = new IndexedDbConnection(name)
    connection.#db = await connection.#connect('create')
    return connection
  }

  /**
   * The open database.
   * @throws SkeinError `store-unavailable`, also where the database was deleted meanwhile: a new one
   * would hold edits without what they build upon
   * @throws SkeinError `store-foreign` where another version of the database took its place
   */
  async get(): Promise<IDBPDatabase> {
    this.#db ??= await this.#connect('existing')
    return this.#db
  }

  /** Closes this connection; a later `get` opens another. */
  drop(): void {
    this.#db?.close()
    this.#db = undefined
  }

  async #connect(mode: 'create' | 'existing'): Promise<IDBPDatabase> {
    const db = await openWithin(OPEN_MS_MAX, this.#name, mode, {
      // Stay out of the way of a tab that deletes or upgrades the database, or it would be blocked.
      blocking: (_version, _wanted, event) => {
        ;(event.target as IDBDatabase).close()
        this.#db = undefined
      },
      terminated: () => {
        this.#db = undefined
      },
    })
    if (!hasFormat(db)) {
      db.close()
      throw new SkeinError(
        'store-foreign',
        `The IndexedDB database ${this.#name} (version ${db.version}, object stores: ${[...db.objectStoreNames].join(', ')}) is not one of y-indexeddb or Skein. It was not touched. Choose another databaseName.`,
      )
    }
    return db
  }
}

/** Version, names and key generators as y-indexeddb 9 creates them. */
function hasFormat(db: IDBPDatabase): boolean {
  // Names are always sorted.
  if (db.version !== 1 || [...db.objectStoreNames].join() !== `${CUSTOM},${UPDATES}`) return false
  const transaction = db.transaction([UPDATES, CUSTOM])
  const updates = transaction.objectStore(UPDATES)
  const custom = transaction.objectStore(CUSTOM)
  return updates.autoIncrement && updates.keyPath === null && !custom.autoIncrement && custom.keyPath === null
}

type Events = Pick<NonNullable<Parameters<typeof openDB>[2]>, 'blocking' | 'terminated'>

async function openWithin(
  openMsMax: number,
  name: string,
  mode: 'create' | 'existing',
  events: Events,
): Promise<IDBPDatabase> {
  let deleted = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let timedOut = false
  try {
    // No version: whatever is there opens as it is, and nothing in it is upgraded.
    const opening = openDB(name, undefined, {
      ...events,
      upgrade(db, _oldVersion, _newVersion, transaction) {
        if (mode === 'existing') {
          deleted = true
          transaction.done.catch(() => {})
          transaction.abort()
          return
        }
        db.createObjectStore(UPDATES, { autoIncrement: true })
        db.createObjectStore(CUSTOM)
      },
    })
    opening.then((db) => timedOut && db.close()).catch(() => {})
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        timedOut = true
        reject(new Error(`no answer within ${openMsMax} ms`))
      }, openMsMax)
    })
    return await Promise.race([opening, timeout])
  } catch (cause) {
    const reason = deleted
      ? 'was deleted while it was in use, by another tab or by clearing the site data'
      : `cannot be opened (${cause instanceof Error ? cause.message : String(cause)})`
    throw new SkeinError(
      'store-unavailable',
      `The IndexedDB database ${name} ${reason}. Edits live in memory only.`,
      { cause },
    )
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Opening waits for as long as another connection's deletion or upgrade of the database is blocked, and
 * some browsers have versions that never answer. Users should be told, not left waiting.
 */
const OPEN_MS_MAX = 10_000
