import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { RelayError } from '../errors.js'
import { createEnvironment, STORE_FILE, STORE_LOCK_FILE } from '../log/lmdb-environment.js'
import { flushDirectory, writeDurably } from './durable-file.js'
import { LOCK_FILE, type Lock, lockDirectory } from './exclusive-lock.js'
import { IDENTITY_FILE, newIdentity, readIdentity } from './identity.js'

/** A directory that this process alone uses, with an identity and a store that belong together. */
export interface DataDirectory {
  /** Absolute. */
  readonly path: string
  /** Random, from the day the directory was made; the same at every start. */
  readonly relayId: string
  /** Lets another relay use the directory. Close the log before. Idempotent. */
  release(): Promise<void>
}

/**
 * Opens a relay's data directory, and makes it where it is missing or empty.
 *
 * A relay that loses its data must not come up empty under its old name: peers and agents would take what it
 * acknowledged as still there. So the directory says whose it is, in a file and in the store, and
 * anything that does not fit is refused and left as it is.
 * @throws RelayError `data-foreign`, `data-version`, `data-corrupt`, `data-in-use`, `data-not-writable`
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  const directory = resolve(path)
  let lock: Lock | undefined
  try {
    await makeDirectory(directory)
    // Before the lock, which would be the first thing written into a foreign directory.
    await refuseForeign(directory)
    lock = await lockDirectory(directory)
    await refuseForeign(directory)
    const identity = (await readIdentity(directory)) ?? (await create(directory))
    await checkStoreExists(directory)
    return { path: directory, relayId: identity.relayId, release: lock.release }
  } catch (error) {
    await lock?.release()
    throw error instanceof RelayError ? error : notWritable(directory, error)
  }
}

/** The identity before the store was made. Where it is found, nothing was ever acknowledged. */
const UNFINISHED_IDENTITY_FILE = `${IDENTITY_FILE}.new`
/** The root of a fresh ext4 volume is not empty. */
const IGNORED = ['lost+found']
const NAMES_SHOWN_MAX = 5

/**
 * The order makes every crash recoverable: the unfinished identity, the store that bears it, then the
 * final name. What a crash left of the first two is made anew.
 */
async function create(directory: string) {
  await rm(join(directory, STORE_FILE), { force: true })
  await rm(join(directory, STORE_LOCK_FILE), { force: true })
  const identity = newIdentity()
  await writeDurably(join(directory, UNFINISHED_IDENTITY_FILE), `${JSON.stringify(identity, null, 2)}\n`)
  await flushDirectory(directory)
  await createEnvironment(directory, identity.relayId)
  await rename(join(directory, UNFINISHED_IDENTITY_FILE), join(directory, IDENTITY_FILE))
  await flushDirectory(directory)
  return identity
}

/** Not `mkdir` with `recursive`: that never returns where a parent exists but takes no entries, as /proc. */
async function makeDirectory(directory: string): Promise<void> {
  if (await exists(directory)) return
  const parent = dirname(directory)
  if (!(await exists(parent))) await makeDirectory(parent)
  await mkdir(directory).catch((error: NodeJS.ErrnoException) => {
    // Another starter made it at the same time, or it is a file, which `readdir` will tell.
    if (error.code !== 'EEXIST') throw error
  })
  await flushDirectory(parent)
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

async function refuseForeign(directory: string): Promise<void> {
  const names = await readdir(directory)
  if (names.includes(IDENTITY_FILE)) return
  const ours = names.includes(UNFINISHED_IDENTITY_FILE)
    ? [UNFINISHED_IDENTITY_FILE, STORE_FILE, STORE_LOCK_FILE]
    : []
  const foreign = names.filter(
    (name) => !ours.includes(name) && !IGNORED.includes(name) && !LOCK_FILE.test(name),
  )
  if (foreign.length === 0) return
  const more = foreign.length > NAMES_SHOWN_MAX ? ` and ${foreign.length - NAMES_SHOWN_MAX} more` : ''
  throw new RelayError(
    'data-foreign',
    `${directory} is not a relay's data directory: it has no ${IDENTITY_FILE}, but ` +
      `${foreign.slice(0, NAMES_SHOWN_MAX).join(', ')}${more}. Nothing was changed. Name an empty or a new ` +
      `directory; if this was a relay's, put its ${IDENTITY_FILE} back`,
  )
}

async function checkStoreExists(directory: string): Promise<void> {
  const store = await stat(join(directory, STORE_FILE)).catch(() => undefined)
  if (store !== undefined && store.size > 0) return
  throw new RelayError(
    'data-corrupt',
    `${directory} has an identity, but its store ${STORE_FILE} is missing or empty. Nothing was changed. ` +
      'Restore the directory from a backup, or start on an empty one: agents bring back what they have',
  )
}

function notWritable(directory: string, cause: unknown): RelayError {
  const what = `cannot make or write the data directory ${directory}: ${(cause as Error).message}`
  const hint = "Name another one, or give the relay's user write access"
  return new RelayError('data-not-writable', `${what}. ${hint}`, { cause })
}
