import 'fake-indexeddb/auto'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { openIndexedDbStore } from '../../src/store/indexeddb-store.js'
import { openLmdbStore } from '../../src/store/lmdb-store.js'
import { memoryStore } from '../../src/store/memory-store.js'
import { STORE_CASES } from './store-acceptance.js'
import { temporaryDirectory } from './temporary-directory.js'
import { INTEROP_CASES } from './y-indexeddb-interop.js'

describe('memory', () => {
  for (const { name, run } of STORE_CASES.filter((storeCase) => !storeCase.needsDisk)) {
    test(name, () => run({ open: async () => memoryStore() }))
  }
})

describe('lmdb', () => {
  for (const { name, run } of STORE_CASES) {
    test(name, () => {
      const directory = temporaryDirectory()
      return run({ open: (place = 'a.space') => openLmdbStore(join(directory, place), place) })
    })
  }
})

describe('indexeddb', () => {
  for (const { name, run } of STORE_CASES) {
    test(name, () => run({ open: (place = '') => openIndexedDbStore(`${name}/${place}`) }))
  }
})

describe('indexeddb and y-indexeddb', () => {
  for (const { name, run } of INTEROP_CASES) test(name, () => run(name))
})
