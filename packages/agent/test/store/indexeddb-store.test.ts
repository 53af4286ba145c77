import 'fake-indexeddb/auto'
import { forceCloseDatabase } from 'fake-indexeddb'
import { openDB, unwrap } from 'idb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openIndexedDbStore } from '../../src/store/indexeddb-store.js'
import { COMPACT_ENTRIES_MIN } from '../../src/store/store.js'
import { contentOf, edits } from './edits.js'

let databases = 0
let name = ''
/** The connections that were opened during the test, ours and others. */
let connections: IDBDatabase[] = []

beforeEach(() => {
  name = `database-${databases++}`
  connections = []
  const open = IDBFactory.prototype.open
  vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(function (this: IDBFactory, ...args) {
    const request = open.apply(this, args)
    request.addEventListener('success', () => connections.push(request.result))
    return request
  })
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

/** Makes the next transactions that write end with an error, after their requests were made. */
function failTransactions(count: number, errorName: string) {
  const begin = IDBDatabase.prototype.transaction
  let left = count
  return vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (
    this: IDBDatabase,
    ...args
  ) {
    const transaction = begin.apply(this, args)
    if (args[1] === 'readwrite' && left-- > 0) {
      // As fake-indexeddb itself aborts; its public abort() knows no reason.
      queueMicrotask(() => (transaction as unknown as { _abort(name: string): void })._abort(errorName))
    }
    return transaction
  })
}

async function storedEntries(): Promise<unknown[]> {
  const db = await openDB(name)
  const entries = await db.getAll('updates')
  db.close()
  return entries
}

test('appends ask for strict durability, and those of one tick share a transaction', async () => {
  const store = await openIndexedDbStore(name)
  const begin = vi.spyOn(IDBDatabase.prototype, 'transaction')
  await Promise.all(edits(10).map((update) => store.append(update, 0)))
  expect(begin.mock.calls).toEqual([[['updates', 'custom'], 'readwrite', { durability: 'strict' }]])
  await store.close()
})

test('an append resolves only when its transaction is complete', async () => {
  const store = await openIndexedDbStore(name)
  let complete = false
  const begin = IDBDatabase.prototype.transaction
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, ...args) {
    const transaction = begin.apply(this, args)
    transaction.addEventListener('complete', () => {
      complete = true
    })
    return transaction
  })
  await store.append(edits(1)[0]!, 0)
  expect(complete).toBe(true)
  await store.close()
})

test('a connection that the browser closed is opened anew by the next append', async () => {
  const updates = edits(2)
  const store = await openIndexedDbStore(name)
  await store.append(updates[0]!, 0)
  forceCloseDatabase(connections.at(-1) as never)
  await store.append(updates[1]!, 0)
  expect(connections).toHaveLength(2)
  await store.close()
  expect(await storedEntries()).toEqual(updates)
})

test('a connection that is closed without an event (InvalidStateError) is opened anew', async () => {
  const updates = edits(2)
  const store = await openIndexedDbStore(name)
  await store.append(updates[0]!, 0)
  connections[0]!.close()
  await store.append(updates[1]!, 3)
  await store.close()
  expect(await storedEntries()).toEqual(updates)
})

test('a transaction that was aborted is tried once more, and its updates are stored once', async () => {
  const updates = edits(3)
  const store = await openIndexedDbStore(name)
  failTransactions(1, 'UnknownError')
  await Promise.all(updates.map((update) => store.append(update, 0)))
  await store.close()
  expect(await storedEntries()).toEqual(updates)
})

test('a transaction that fails twice rejects, stores nothing, and later appends work', async () => {
  const updates = edits(2)
  const store = await openIndexedDbStore(name)
  const failing = failTransactions(2, 'UnknownError')
  await expect(store.append(updates[0]!, 0)).rejects.toMatchObject({ code: 'store-unavailable' })
  failing.mockRestore()
  await store.append(updates[1]!, 0)
  await store.close()
  expect(await storedEntries()).toEqual([updates[1]])
})

test('a used-up quota is store-full without a second try, and appends work again when there is room', async () => {
  const updates = edits(2)
  const store = await openIndexedDbStore(name)
  const failing = failTransactions(1, 'QuotaExceededError')
  await expect(store.append(updates[0]!, 0)).rejects.toMatchObject({ code: 'store-full' })
  expect(failing).toHaveBeenCalledTimes(1)
  await store.append(updates[1]!, 0)
  await store.close()
  expect(await storedEntries()).toEqual([updates[1]])
})

test('a request that fails for lack of quota is store-full too', async () => {
  const store = await openIndexedDbStore(name)
  const add = vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementationOnce(() => {
    throw new DOMException('no room', 'QuotaExceededError')
  })
  await expect(store.append(edits(1)[0]!, 0)).rejects.toMatchObject({ code: 'store-full' })
  expect(add).toHaveBeenCalledTimes(1)
  await store.close()
  expect(await storedEntries()).toEqual([])
})

test('a used-up quota keeps nobody from loading what should be compacted', async () => {
  const updates = edits(COMPACT_ENTRIES_MIN)
  const store = await openIndexedDbStore(name)
  await Promise.all(updates.map((update) => store.append(update, 8)))
  vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementationOnce(() => {
    throw new DOMException('no room', 'QuotaExceededError')
  })
  expect(await store.load()).toEqual({ updates, queued: 8, epoch: '', strong: [] })
  await store.close()
  expect(await storedEntries()).toEqual(updates)
})

test('a failed compaction leaves every entry', async () => {
  const updates = edits(COMPACT_ENTRIES_MIN)
  const store = await openIndexedDbStore(name)
  await Promise.all(updates.map((update) => store.append(update, 0)))
  const failing = failTransactions(2, 'UnknownError')
  await expect(store.load()).rejects.toMatchObject({ code: 'store-unavailable' })
  expect(await storedEntries()).toEqual(updates)
  failing.mockRestore()
  expect(contentOf((await store.load()).updates)).toBe(contentOf(updates))
  await store.close()
})

test('another tab may delete the database at once, and no part of one is made in its place', async () => {
  const store = await openIndexedDbStore(name)
  await store.append(edits(1)[0]!, 0)
  const blocked = vi.fn()
  await new Promise<void>((resolve) => {
    const request = indexedDB.deleteDatabase(name)
    request.onblocked = blocked
    request.onsuccess = () => resolve()
  })
  expect(blocked).not.toHaveBeenCalled()
  for (const update of edits(2)) {
    await expect(store.append(update, 0)).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('deleted'),
    })
  }
  expect((await indexedDB.databases()).map((database) => database.name)).not.toContain(name)
  await store.close()
  const fresh = await openIndexedDbStore(name)
  expect(await fresh.load()).toEqual({ updates: [], queued: 0, epoch: '', strong: [] })
  await fresh.close()
})

test('another tab may upgrade the database at once, and after that it is foreign', async () => {
  const store = await openIndexedDbStore(name)
  const upgraded = await openDB(name, 2)
  upgraded.close()
  await expect(store.append(edits(1)[0]!, 0)).rejects.toMatchObject({ code: 'store-foreign' })
  await store.close()
})

const FOREIGN: [what: string, version: number, create: (db: IDBDatabase) => void][] = [
  ['no object stores', 1, () => {}],
  ['other object stores', 1, (db) => db.createObjectStore('todos')],
  ['one object store more', 1, (db) => createStock(db).createObjectStore('todos')],
  ['a later version', 2, createStock],
  [
    'updates without generated keys',
    1,
    (db) => {
      db.createObjectStore('updates')
      db.createObjectStore('custom')
    },
  ],
]

function createStock(db: IDBDatabase): IDBDatabase {
  db.createObjectStore('updates', { autoIncrement: true })
  db.createObjectStore('custom')
  return db
}

test.each(FOREIGN)('a database with %s is foreign and is not touched', async (_what, version, create) => {
  const theirs = await openDB(name, version, { upgrade: (db) => create(unwrap(db)) })
  const shape = () => [theirs.version, ...theirs.objectStoreNames]
  const before = shape()
  theirs.close()
  await expect(openIndexedDbStore(name)).rejects.toMatchObject({ code: 'store-foreign' })
  const after = await openDB(name)
  expect([after.version, ...after.objectStoreNames]).toEqual(before)
  after.close()
})

test.each([
  ['text', 'text'],
  ['bytes that are no update', Uint8Array.of(9, 9, 9)],
])('%s among the updates is store-corrupt and stays', async (_what, entry) => {
  const store = await openIndexedDbStore(name)
  await store.append(edits(1)[0]!, 0)
  const db = await openDB(name)
  await db.add('updates', entry)
  db.close()
  await expect(store.load()).rejects.toMatchObject({
    code: 'store-corrupt',
    message: expect.stringContaining(name),
  })
  await store.close()
  expect(await storedEntries()).toHaveLength(2)
})

test('corruption stops a compaction before it changes anything', async () => {
  const store = await openIndexedDbStore(name)
  await Promise.all(edits(COMPACT_ENTRIES_MIN).map((update) => store.append(update, 0)))
  const db = await openDB(name)
  await db.add('updates', 'text')
  db.close()
  await expect(store.load()).rejects.toMatchObject({ code: 'store-corrupt' })
  await store.close()
  expect(await storedEntries()).toHaveLength(COMPACT_ENTRIES_MIN + 1)
})

test('no IndexedDB, or one that refuses, is store-unavailable', async () => {
  vi.stubGlobal('indexedDB', undefined)
  await expect(openIndexedDbStore(name)).rejects.toMatchObject({ code: 'store-unavailable' })
  vi.stubGlobal('indexedDB', {
    open() {
      throw new DOMException('denied', 'SecurityError')
    },
  })
  await expect(openIndexedDbStore(name)).rejects.toMatchObject({ code: 'store-unavailable' })
})

test('an open that is blocked for too long is store-unavailable, and closes if it succeeds later', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const inTheWay = await openDB(name)
  const deletion = indexedDB.deleteDatabase(name)
  const refused = expect(openIndexedDbStore(name)).rejects.toMatchObject({ code: 'store-unavailable' })
  await new Promise<void>((resolve) => {
    deletion.onblocked = () => resolve()
  })
  await vi.advanceTimersByTimeAsync(10_000)
  await refused
  const close = vi.spyOn(IDBDatabase.prototype, 'close')
  inTheWay.close()
  await vi.waitUntil(() => close.mock.contexts.length === 2)
  expect(close.mock.contexts).toEqual([unwrap(inTheWay), connections.at(-1)])
})
