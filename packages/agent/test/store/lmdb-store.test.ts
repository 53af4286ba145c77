import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLmdbStore } from '../../src/store/lmdb-store.js'
import { COMPACT_ENTRIES_MIN } from '../../src/store/store.js'
import { contentOf, edits } from './edits.js'
import { temporaryDirectory } from './temporary-directory.js'

test('a compaction frees the space, so that the file does not grow from run to run', async () => {
  const directory = join(temporaryDirectory(), 'home')
  const sizes: number[] = []
  const [update] = edits(1, 'x'.repeat(2000))
  for (let run = 0; run < 8; run++) {
    const store = await openLmdbStore(directory, 'home')
    await store.load()
    // Always the same edit, so that the content does not grow either.
    for (let i = 0; i < COMPACT_ENTRIES_MIN; i++) await store.append(update!, 0)
    await store.close()
    sizes.push(statSync(join(directory, 'data.mdb')).size)
  }
  expect(sizes.at(-1), `sizes: ${sizes}`).toBe(sizes[3])
})

test('stores in one process that append and compact at the same time keep everything', async () => {
  const directory = join(temporaryDirectory(), 'home')
  const updates = edits(3 * COMPACT_ENTRIES_MIN)
  const writer = await openLmdbStore(directory, 'home')
  const appended = updates.map((update) => writer.append(update, 1))
  for (let i = 0; i < 5; i++) {
    const reader = await openLmdbStore(directory, 'home')
    await reader.load()
    await reader.close()
  }
  await Promise.all(appended)
  await writer.close()
  const store = await openLmdbStore(directory, 'home')
  expect(contentOf((await store.load()).updates)).toBe(contentOf(updates))
  await store.close()
})
