import { openIndexedDbStore } from '../../src/store/indexeddb-store.js'
import { STORE_CASES } from './store-acceptance.js'
import { INTEROP_CASES } from './y-indexeddb-interop.js'

/** How one case went; without `error` it passed. */
export interface SuiteResult {
  readonly name: string
  readonly error?: string
}

declare global {
  interface Window {
    /** Set when all cases have run. */
    storeSuiteResults?: readonly SuiteResult[]
    /** For tests that go on from outside the page. */
    openIndexedDbStore?: typeof openIndexedDbStore
  }
}

/** Runs every case against the IndexedDB of the page that loads this module. */
async function runSuite(): Promise<SuiteResult[]> {
  const results: SuiteResult[] = []
  for (const { name, run } of STORE_CASES) {
    const open = (place = '') => openIndexedDbStore(`${name}/${place}`)
    results.push(await resultOf(name, run({ open })))
  }
  for (const { name, run } of INTEROP_CASES) results.push(await resultOf(name, run(name)))
  return results
}

async function resultOf(name: string, running: Promise<void>): Promise<SuiteResult> {
  try {
    await running
    return { name }
  } catch (error) {
    return { name, error: String(error) }
  }
}

window.openIndexedDbStore = openIndexedDbStore
window.storeSuiteResults = await runSuite()
