import { mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SkeinError } from '../errors.js'
import { corrupt } from './entries.js'
import { asSkeinError } from './lmdb-errors.js'
import { checkStoreFile } from './lmdb-preflight.js'

/**
 * Makes sure that a directory is this space's store, or becomes it, and that its data file can be
 * opened without harm to the process. The file `skein-store.json` says whose the directory is.
 *
 * In a new directory that file gets its name last: until then nothing was acknowledged, and whatever
 * an interrupted start left is used or written anew.
 * @param mode whether a missing store is created, or was deleted while it was in use: a new one in its
 * place would hold edits without what they build upon
 * @param openData opens LMDB in the directory, and creates its files where they are missing
 * @throws SkeinError `store-foreign`, `store-unavailable`, `store-full`, `store-corrupt`
 */
export async function openDirectory<T>(
  directory: string,
  space: string,
  mode: 'create' | 'existing',
  openData: () => T,
): Promise<T> {
  try {
    if (await isClaimed(directory, space)) {
      await checkStoreFile(join(directory, DATA_FILE))
      return openData()
    }
    if (mode === 'existing') throw new Error('it was deleted while it was in use')
    await writeIdentity(directory, space)
    const data = openData()
    await rename(join(directory, IDENTITY_FILE_NEW), join(directory, IDENTITY_FILE)).catch(ignoreMissing)
    await syncDirectories(directory)
    return data
  } catch (error) {
    throw asSkeinError(error, directory)
  }
}

const IDENTITY_FILE = 'skein-store.json'
const IDENTITY_FILE_NEW = 'skein-store.json.new'
const DATA_FILE = 'data.mdb'
const FORMAT = 'skein-agent-store'
const VERSION = 1

/** True for a complete store of this space, false for a directory that may become one. */
async function isClaimed(directory: string, space: string): Promise<boolean> {
  const names = await listNames(directory)
  if (names.includes(IDENTITY_FILE)) {
    checkIdentity(await readFile(join(directory, IDENTITY_FILE), 'utf8'), directory, space)
    if (!names.includes(DATA_FILE)) throw corrupt(directory, `no ${DATA_FILE}, which it once had`)
    return true
  }
  // Without our unfinished identity, what is there is somebody else's.
  if (names.length > 0 && !names.includes(IDENTITY_FILE_NEW)) {
    throw foreign(directory, `it is not empty (${names.slice(0, 3).join(', ')}) and has no ${IDENTITY_FILE}`)
  }
  return false
}

async function listNames(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return []
    if (code === 'ENOTDIR' && (await stat(directory).catch(() => undefined))?.isFile()) {
      throw foreign(directory, 'it is a file')
    }
    throw error
  }
}

function checkIdentity(text: string, directory: string, space: string): void {
  let identity: { format?: unknown; version?: unknown; space?: unknown } | null
  try {
    identity = JSON.parse(text)
  } catch (cause) {
    throw foreign(directory, `its ${IDENTITY_FILE} is no JSON`, cause)
  }
  if (identity?.format !== FORMAT) throw foreign(directory, `its ${IDENTITY_FILE} names another format`)
  if (identity.version !== VERSION) {
    const message = `it was written in version ${identity.version} of the format, and this Skein knows version ${VERSION}; use a newer Skein`
    throw foreign(directory, message)
  }
  if (identity.space !== space) {
    throw foreign(directory, `it belongs to the space ${JSON.stringify(identity.space)}`)
  }
}

function foreign(directory: string, why: string, cause?: unknown): SkeinError {
  const message = `The directory ${directory} is not the store of this space: ${why}. It was not touched. Choose another directory.`
  return new SkeinError('store-foreign', message, { cause })
}

async function writeIdentity(directory: string, space: string): Promise<void> {
  await makeDirectory(directory)
  const file = await open(join(directory, IDENTITY_FILE_NEW), 'w')
  try {
    await file.writeFile(`${JSON.stringify({ format: FORMAT, version: VERSION, space })}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Two processes may start in a new directory at once; the first to rename has done it for both. */
function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

/** Not `mkdir`'s own `recursive`: it never returns where the system refuses with ENOENT, as in /proc. */
async function makeDirectory(path: string): Promise<void> {
  const make = () =>
    mkdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  try {
    await make()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    await makeDirectory(dirname(path))
    await make()
  }
}

/** A file is safe only when its name is, and so are the names above it that may be new. */
async function syncDirectories(directory: string): Promise<void> {
  // Windows flushes names with the files, and cannot open directories for it.
  if (process.platform === 'win32') return
  // The directory itself, its name in the data directory, and that one's name.
  for (const path of [directory, dirname(directory), dirname(dirname(directory))]) {
    const handle = await open(path, 'r').catch(() => undefined)
    // What we may not open was there before.
    await handle?.sync().catch(() => {})
    await handle?.close()
  }
}
