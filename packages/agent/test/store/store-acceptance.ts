import { COMPACT_ENTRIES_MIN, type Store } from '../../src/store/store.js'
import { assertEqual, assertRejects } from './assert.js'
import { contentOf, edits } from './edits.js'

/** What a case needs to know of the implementation. */
export interface StoreContext {
  /** Opens a store that is new to this case, or the same one again for the same place. */
  open(place?: string): Promise<Store>
}

export interface StoreCase {
  readonly name: string
  /** False where it also holds for a store that keeps nothing. */
  readonly needsDisk: boolean
  run(context: StoreContext): Promise<void>
}

/**
 * The rules that every Store keeps. Free of any test framework, so that the list also runs in a page.
 */
export const STORE_CASES: readonly StoreCase[] = [
  anyStore('S1 a new store loads as empty', async ({ open }) => {
    const store = await open()
    assertEqual(await store.load(), { updates: [], queued: 0, epoch: '', strong: [] }, 'loaded')
    await store.close()
  }),
  anyStore('S2 append and setQueued resolve, and close may be called twice', async ({ open }) => {
    const store = await open()
    await store.load()
    await Promise.all(edits(3).map((update, i) => store.append(update, i)))
    await store.setQueued(0)
    await store.close()
    await store.close()
  }),
  onDisk('S3 updates come back in the order of the appends, with the last number', async ({ open }) => {
    const updates = edits(5)
    await using(open, async (store) => {
      for (const [i, update] of updates.entries()) await store.append(update, i + 1)
    })
    const loaded = await using(open, (store) => store.load())
    assertEqual(loaded.updates, updates, 'updates')
    assertEqual(loaded.queued, 5, 'queued')
  }),
  onDisk('S11 setEpoch keeps the epoch beside everything else', async ({ open }) => {
    const updates = edits(2)
    await using(open, async (store) => {
      await store.load()
      await store.append(updates[0]!, 2)
      await store.setEpoch('e1')
      await store.append(updates[1]!, 3)
    })
    await using(open, async (store) => {
      const { updates: stored, ...rest } = await store.load()
      assertEqual(rest, { queued: 3, epoch: 'e1', strong: [] }, 'loaded')
      assertEqual(stored.length, 2, 'updates')
      await store.setEpoch('e2')
    })
    await using(open, async (store) => assertEqual((await store.load()).epoch, 'e2', 'replaced'))
  }),
  onDisk(
    'S17 setStrong keeps the prefixes beside everything else, through a compaction, too',
    async ({ open }) => {
      await using(open, async (store) => {
        await store.load()
        await Promise.all(edits(COMPACT_ENTRIES_MIN).map((update) => store.append(update, 1)))
        await store.setStrong(['lock/', 'é/'])
        await store.setEpoch('e1')
      })
      for (let opening = 1; opening <= 2; opening++) {
        await using(open, async (store) => {
          const { updates, ...rest } = await store.load()
          assertEqual(rest, { queued: 1, epoch: 'e1', strong: ['lock/', 'é/'] }, `opening ${opening}`)
          assertEqual(updates.length, 1, 'updates')
        })
      }
    },
  ),
  onDisk('S4 setQueued replaces the number alone', async ({ open }) => {
    const updates = edits(2)
    await using(open, async (store) => {
      await store.append(updates[0]!, 9)
      await store.setQueued(4)
    })
    assertEqual((await using(open, (store) => store.load())).queued, 4, 'queued')
    await using(open, async (store) => {
      await store.setQueued(3)
      await store.append(updates[1]!, 1)
    })
    const loaded = await using(open, (store) => store.load())
    assertEqual([loaded.updates, loaded.queued], [updates, 1], 'loaded')
  }),
  onDisk('S5 appends at the same time are all stored, in the order of the calls', async ({ open }) => {
    const updates = edits(150)
    await using(open, (store) => Promise.all(updates.map((update, i) => store.append(update, i))))
    const loaded = await using(open, (store) => store.load())
    assertEqual(loaded.updates, updates, 'updates')
    assertEqual(loaded.queued, 149, 'queued')
  }),
  onDisk('S6 what is stored are the bytes at the time of the call', async ({ open }) => {
    const [update] = edits(1)
    const frame = new Uint8Array(1000)
    frame.set(update!, 10)
    await using(open, async (store) => {
      const appended = store.append(frame.subarray(10, 10 + update!.length), 0)
      frame.fill(0)
      await appended
    })
    const loaded = await using(open, (store) => store.load())
    assertEqual(loaded.updates, [update], 'updates')
    assertEqual(loaded.updates[0]?.buffer.byteLength, update!.length, 'bytes stored')
  }),
  onDisk('S7 close flushes appends that nobody waited for', async ({ open }) => {
    const updates = edits(20)
    const store = await open()
    let done = 0
    for (const update of updates) store.append(update, 0).then(() => done++)
    await store.close()
    assertEqual(done, updates.length, 'appends done at the close')
    assertEqual((await using(open, (again) => again.load())).updates, updates, 'updates')
  }),
  onDisk('S8 a closed store refuses appends', async ({ open }) => {
    const store = await open()
    await store.close()
    await assertRejects(store.append(edits(1)[0]!, 0), 'store-unavailable', 'append')
    await assertRejects(store.setQueued(1), 'store-unavailable', 'setQueued')
  }),
  onDisk('S9 few entries are left as they are', async ({ open }) => {
    const updates = edits(COMPACT_ENTRIES_MIN - 1)
    await using(open, (store) => Promise.all(updates.map((update) => store.append(update, 7))))
    for (let opening = 1; opening <= 3; opening++) {
      const loaded = await using(open, (store) => store.load())
      assertEqual(loaded.updates.length, updates.length, `entries at opening ${opening}`)
    }
  }),
  onDisk('S10 many entries become one with the same content, and stay one', async ({ open }) => {
    const updates = edits(COMPACT_ENTRIES_MIN)
    await using(open, (store) => Promise.all(updates.map((update) => store.append(update, 7))))
    for (let opening = 1; opening <= 3; opening++) {
      const loaded = await using(open, (store) => store.load())
      assertEqual(loaded.updates.length, 1, `entries at opening ${opening}`)
      assertEqual(contentOf(loaded.updates), contentOf(updates), `content at opening ${opening}`)
      assertEqual(loaded.queued, 7, `queued at opening ${opening}`)
    }
  }),
  onDisk('S11 appends go on after a compaction', async ({ open }) => {
    const updates = edits(COMPACT_ENTRIES_MIN + 50)
    await using(open, (store) =>
      Promise.all(updates.slice(0, COMPACT_ENTRIES_MIN).map((update) => store.append(update, 1))),
    )
    await using(open, async (store) => {
      await store.load()
      await Promise.all(updates.slice(COMPACT_ENTRIES_MIN).map((update) => store.append(update, 2)))
    })
    const loaded = await using(open, (store) => store.load())
    assertEqual(loaded.updates.length, 51, 'entries')
    assertEqual(contentOf(loaded.updates), contentOf(updates), 'content')
  }),
  onDisk('S12 updates that build upon missing ones survive a compaction', async ({ open }) => {
    const updates = edits(2 * COMPACT_ENTRIES_MIN)
    const isLate = (_: unknown, i: number) => i % 2 === 0
    await using(open, (store) => Promise.all(updates.filter(isLate).map((update) => store.append(update, 0))))
    const compacted = await using(open, (store) => store.load())
    assertEqual(compacted.updates.length, 1, 'entries')
    const missing = updates.filter((update, i) => !isLate(update, i))
    assertEqual(contentOf([...compacted.updates, ...missing]), contentOf(updates), 'content')
  }),
  onDisk('S13 two stores on one place lose nothing of each other', async ({ open }) => {
    const [ours, theirs] = [edits(60, 'ours'), edits(60, 'theirs')]
    const [first, second] = [await open(), await open()]
    await Promise.all([
      ...ours.map((update) => first.append(update, 0)),
      ...theirs.map((update) => second.append(update, 0)),
    ])
    for (const update of edits(5, 'turns')) {
      await first.append(update, 0)
      await second.append(update, 0)
    }
    await Promise.all([first.close(), second.close()])
    const loaded = await using(open, (store) => store.load())
    assertEqual(loaded.updates.length, 130, 'entries')
    const all = [...ours, ...theirs, ...edits(5, 'turns')]
    assertEqual(contentOf(loaded.updates).length, contentOf(all).length, 'length of the content')
  }),
  onDisk('S14 a store compacts while another one appends', async ({ open }) => {
    const updates = edits(COMPACT_ENTRIES_MIN + 40)
    const first = await open()
    await Promise.all(updates.slice(0, COMPACT_ENTRIES_MIN).map((update) => first.append(update, 0)))
    const second = await open()
    await Promise.all([
      ...updates.slice(COMPACT_ENTRIES_MIN).map((update) => first.append(update, 3)),
      second.load(),
    ])
    await Promise.all([first.close(), second.close()])
    const loaded = await using(open, (store) => store.load())
    assertEqual(contentOf(loaded.updates), contentOf(updates), 'content')
    assertEqual(loaded.queued, 3, 'queued')
  }),
  onDisk('S15 large updates come back whole', async ({ open }) => {
    const [update] = edits(1, 'x'.repeat(3_000_000))
    await using(open, (store) => store.append(update!, 0))
    assertEqual((await using(open, (store) => store.load())).updates[0]?.length, update!.length, 'bytes')
  }),
  onDisk('S16 places are apart', async ({ open }) => {
    const [update] = edits(1)
    const [kitchen, hall] = [await open('kitchen'), await open('hall')]
    await kitchen.append(update!, 1)
    assertEqual(await hall.load(), { updates: [], queued: 0, epoch: '', strong: [] }, 'the other place')
    await Promise.all([kitchen.close(), hall.close()])
  }),
]

function anyStore(name: string, run: StoreCase['run']): StoreCase {
  return { name, needsDisk: false, run }
}

function onDisk(name: string, run: StoreCase['run']): StoreCase {
  return { name, needsDisk: true, run }
}

/** Opens a store for one piece of work and closes it. */
async function using<T>(open: StoreContext['open'], work: (store: Store) => Promise<T>): Promise<T> {
  const store = await open()
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
