import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import type { DataDirectory } from '../data/data-directory.js'
import { RelayError } from '../errors.js'
import { CommitQueue } from './commit-queue.js'
import { checkStore, damaged } from './lmdb-preflight.js'

/** The files of the environment in the data directory. */
export const STORE_FILE = 'data.mdb'
export const STORE_LOCK_FILE = 'lock.mdb'

export type Table = Database<Buffer, Buffer>

/** The one LMDB environment of a relay. Its tables share the commit queue, and so each other's flushes. */
export interface Environment {
  readonly updates: Table
  /** What this relay promised and accepted in the strong region, by key, as of the last checkpoint. */
  readonly acceptor: Table
  /** Which member of which cluster it is. */
  readonly cluster: Table
  readonly commits: CommitQueue
  /** Where it is, and whose. */
  readonly directory: { readonly path: string; readonly relayId: string }
  /** Calls `end` when it closes, and waits for it, while it still takes writes. */
  beforeClose(end: () => Promise<void>): void
  /** Waits for the writes under way, then closes. */
  close(): Promise<void>
}

/** Makes an environment that belongs to a relay. Its bytes are on disk, its directory entry may not be. */
export async function createEnvironment(directory: string, relayId: string): Promise<void> {
  const root = openRoot(directory)
  try {
    for (const name of ['updates', ...STRONG_TABLES]) root.openDB(name, TABLE_OPTIONS)
    await root.openDB('meta', TABLE_OPTIONS).put(RELAY_ID, Buffer.from(relayId))
  } finally {
    await root.close()
  }
}

/**
 * Opens the environment that `openDataDirectory` made. Never makes or mends one.
 * @throws RelayError `data-corrupt`, `data-version`, `data-foreign` where it belongs to another relay
 */
export async function openEnvironment(directory: DataDirectory, commitEveryMs = 0): Promise<Environment> {
  await checkStore(join(directory.path, STORE_FILE))
  const root = openRoot(directory.path)
  try {
    const owner = openTable(root, 'meta')?.get(RELAY_ID)?.toString()
    if (owner !== directory.relayId) throw foreign(directory, owner)
    const updates = openTable(root, 'updates')
    if (updates === undefined) throw damaged(directory.path, 'its table of updates is missing')
    const [acceptor, cluster] = openStrongTables(root, directory.path)
    const commits = new CommitQueue(
      (changes) => transact(root, changes),
      () => isUsable(updates),
      commitEveryMs,
    )
    const ends: (() => Promise<void>)[] = []
    let closing: Promise<void> | undefined
    const close = () => {
      closing ??= Promise.all(ends.map((end) => end()))
        .then(() => commits.stop())
        .then(() => root.close())
      return closing
    }
    const beforeClose = (end: () => Promise<void>) => void ends.push(end)
    return { updates, acceptor, cluster, commits, directory, beforeClose, close }
  } catch (error) {
    await root.close()
    throw error
  }
}

const RELAY_ID = Buffer.from('relayId')
const STRONG_TABLES = ['acceptor', 'cluster']
const TABLE_OPTIONS = { encoding: 'binary', keyEncoding: 'binary' } as const

function openRoot(directory: string): RootDatabase<Buffer, Buffer> {
  try {
    return open<Buffer, Buffer>({
      ...TABLE_OPTIONS,
      path: directory,
      noSubdir: false,
      maxDbs: 16,
      // LMDB's own order: data, flush, then the meta page through O_DSYNC. A promise of the library then
      // means "on disk", and a failed flush leaves nothing visible. With overlapping flushes a transaction
      // is visible before its flush may fail, and which one counts after a crash hangs on the boot id.
      // Since one transaction is under way at a time, there is nothing to overlap, and no gain (measured).
      overlappingSync: false,
      // The library's own batching leaves a promise of a failed commit unhandled, which ends the process.
      eventTurnBatching: false,
    })
  } catch (cause) {
    throw asRelayError(directory, cause)
  }
}

/** A table that is there, or undefined; the types of the library know neither. */
function openTable(root: RootDatabase<Buffer, Buffer>, name: string): Table | undefined {
  const options = { ...TABLE_OPTIONS, create: false }
  return root.openDB(name, options) as Table | undefined
}

/** A directory of a relay that had no strong region yet gets both; one without the other has lost something. */
function openStrongTables(root: RootDatabase<Buffer, Buffer>, path: string): [Table, Table] {
  const found = STRONG_TABLES.map((name) => openTable(root, name))
  if (found.every((table) => table === undefined)) {
    makeStrongTables(root, path)
  } else if (found.includes(undefined)) {
    throw damaged(path, 'one of the tables of its strong region is missing')
  }
  const [acceptor, cluster] = STRONG_TABLES.map((name) => openTable(root, name))
  return [acceptor!, cluster!]
}

function makeStrongTables(root: RootDatabase<Buffer, Buffer>, path: string): void {
  try {
    for (const name of STRONG_TABLES) root.openDB(name, TABLE_OPTIONS)
  } catch (cause) {
    throw asRelayError(path, cause)
  }
}

async function transact(root: RootDatabase<Buffer, Buffer>, changes: () => void): Promise<void> {
  try {
    await root.batch(changes)
  } catch (error) {
    // The library tells the reason by a second promise; not listening to it would end the process.
    const reason = (error as { commitError?: Promise<never> }).commitError
    await reason
    throw error
  }
}

/** After a failed write of the meta page LMDB answers everything with MDB_PANIC until it is opened anew. */
function isUsable(table: Table): boolean {
  try {
    table.get(RELAY_ID)
    return true
  } catch {
    return false
  }
}

function foreign(directory: DataDirectory, owner: string | undefined): RelayError {
  return new RelayError(
    'data-foreign',
    `the store in ${directory.path} belongs to ${owner === undefined ? 'no relay' : `relay ${owner}`}, ` +
      `its identity file says ${directory.relayId}. Nothing was changed. Put back the ${STORE_FILE} and the ` +
      'identity file that belong together, or start on an empty directory',
  )
}

function asRelayError(directory: string, cause: unknown): RelayError {
  const code = (cause as { code?: unknown }).code
  const message = cause instanceof Error ? cause.message : String(cause)
  const isPermission = code === 13 || code === 30 || /permission denied|read-only/i.test(message)
  if (!isPermission) return damaged(directory, message, cause)
  const what = `cannot open the store in ${directory}: ${message}`
  return new RelayError('data-not-writable', `${what}. Give the relay's user write access to it`, { cause })
}
