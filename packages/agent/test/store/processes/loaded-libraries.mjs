// Reports whether LMDB's native library is loaded after the store's module is imported, and after a
// store was opened. Arguments: directory.
import { openLmdbStore } from '../../../dist/store/lmdb-store.js'

const isLoaded = () => process.report.getReport().sharedObjects.some((path) => path.includes('lmdb'))
const imported = isLoaded()
const store = await openLmdbStore(process.argv[2], 'home')
process.stdout.write(JSON.stringify({ imported, opened: isLoaded() }))
await store.close()
