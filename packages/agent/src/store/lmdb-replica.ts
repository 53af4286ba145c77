import type { RootDatabase } from 'lmdb'
import { checkEntry, checkEpoch, checkQueued, checkStrong, corrupt, mergeEntries } from './entries.js'
import { lastOf, type Write } from './group-commit.js'
import { asSkeinError } from './lmdb-errors.js'
import { seal, sealNumber, unseal, unsealNumber } from './lmdb-record.js'
import { COMPACT_ENTRIES_MIN, type StoredReplica } from './store.js'

/** An LMDB environment with one unnamed database, in which one replica is kept. */
export type Root = RootDatabase<Buffer, number | string>

/**
 * Stores writes in one transaction, behind the last update.
 * @returns false where another process took that place first; then nothing was stored
 */
export async function appendAfterLast(root: Root, writes: readonly Write[]): Promise<boolean> {
  root.resetReadTxn()
  const next = lastKey(root) + 1
  // Keys only ever grow, and without gaps at their end. While the first is free, the others are too.
  return root.ifNoExists(next, () => {
    let key = next
    for (const { update } of writes) {
      if (update === undefined) continue
      root.put(key, seal(key, update))
      key++
    }
    const { queued, epoch, strong } = lastOf(writes)
    if (queued !== undefined) root.put(QUEUED_KEY, sealNumber(QUEUED_KEY, queued))
    if (epoch !== undefined) root.put(EPOCH_KEY, seal(EPOCH_KEY, Buffer.from(epoch)))
    if (strong !== undefined) root.put(STRONG_KEY, seal(STRONG_KEY, Buffer.from(JSON.stringify(strong))))
  })
}

/**
 * Reads and checks everything, and compacts first where there are many entries.
 * @throws SkeinError `store-corrupt`, and LMDB's own errors
 */
export function loadReplica(root: Root, directory: string): StoredReplica {
  // Other processes append without our noticing.
  root.resetReadTxn()
  const entries = root.getKeysCount(updateKeys())
  return entries < COMPACT_ENTRIES_MIN ? read(root, directory) : compact(root, directory)
}

/**
 * Updates stand under rising numbers, from 1; the number of waiting edits, the epoch and the strong prefixes
 * (as JSON) under names. The options are a new object for each call, since lmdb-js writes into them.
 */
const updateKeys = () => ({ start: 1, end: Number.MAX_SAFE_INTEGER })
const QUEUED_KEY = 'queued'
const EPOCH_KEY = 'epoch'
const STRONG_KEY = 'strong'

function lastKey(root: Root): number {
  const [key] = root.getKeys({ start: Number.MAX_SAFE_INTEGER, end: 0, reverse: true, limit: 1 })
  return Number(key ?? 0)
}

/**
 * Reads and checks everything in one snapshot. A damaged key may sort anywhere, or be none; so all keys
 * are read, must be as expected, and as many as LMDB has counted.
 */
function read(root: Root, directory: string): StoredReplica {
  const { entryCount } = root.getStats() as { entryCount: number }
  const updates: Uint8Array[] = []
  let queued: number | undefined
  let epoch: string | undefined
  let strong: readonly string[] | undefined
  let previous: number | undefined
  for (const { key, value } of allRecords(root, directory)) {
    if (key === QUEUED_KEY) {
      queued = checkQueued(unsealNumber(QUEUED_KEY, value, directory), directory)
      continue
    }
    if (key === EPOCH_KEY) {
      epoch = checkEpoch(Buffer.from(unseal(EPOCH_KEY, value, directory)).toString(), directory)
      continue
    }
    if (key === STRONG_KEY) {
      strong = checkStrong(parse(unseal(STRONG_KEY, value, directory)), directory)
      continue
    }
    // Appends take the next key, and a compaction takes away all keys before its own.
    if (typeof key !== 'number' || key !== (previous ?? key - 1) + 1) {
      throw corrupt(directory, `an unexpected key (${String(key)})`)
    }
    previous = key
    updates.push(checkEntry(unseal(key, value, directory), directory))
  }
  const found =
    updates.length +
    (queued === undefined ? 0 : 1) +
    (epoch === undefined ? 0 : 1) +
    (strong === undefined ? 0 : 1)
  if (found !== entryCount) throw corrupt(directory, `${found} of ${entryCount} records`)
  return { updates, queued: queued ?? 0, epoch: epoch ?? '', strong: strong ?? [] }
}

/** Null where it is not JSON: then it is no list, either. */
function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString())
  } catch {
    return null
  }
}

function allRecords(root: Root, directory: string): { key: string | number; value: Buffer }[] {
  try {
    return [...root.getRange({})]
  } catch (error) {
    // LMDB's errors have a code; those without come from decoding a key.
    if ((error as { code?: unknown }).code !== undefined) throw error
    throw corrupt(directory, 'a key that cannot be read', error)
  }
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
      const next = lastKey(root) + 1
      root.put(next, seal(next, merged))
      for (const key of keys) root.remove(key)
      return { ...replica, updates: [merged] }
    })
  } catch (error) {
    // A full disk must not keep anyone from reading.
    const failure = asSkeinError(error, directory)
    if (failure.code === 'store-full' && replica !== undefined) return replica
    throw failure
  }
}
