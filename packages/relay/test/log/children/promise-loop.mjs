// Writes what an acceptor would, without end, and prints each key and version that was reported as on disk. Goes on
// behind what is there. Ends where the disk refuses, and prints why. Arguments: data directory, seed, bytes of a value.
import { writeSync } from 'node:fs'
import { openLmdbStorage } from '../../../dist/cluster/lmdb-storage.js'
import { openDataDirectory } from '../../../dist/data/data-directory.js'
import { openEnvironment } from '../../../dist/log/lmdb-environment.js'

// LMDB's library reports a failed commit on stderr too.
console.error = () => {}
const [path, seed, bytes] = process.argv.slice(2)
const environment = await openEnvironment(await openDataDirectory(path))
const storage = await openLmdbStorage(environment, { segmentBytes: 16 * 4096 }).catch(refused)
const { store, meta, save, write } = storage
const newMeta = { id: 'r1', listed: ['r1'], founding: undefined, cluster: undefined, addresses: {} }
await save({ ...newMeta, incarnation: (meta?.incarnation ?? 0) + 1 })

function refused({ code }) {
  writeSync(1, `refused ${code}\n`)
  process.exit(0)
}

let state = Number(seed)
const random = (below) => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
  return (state >>> 8) % below
}

/** @returns {import('@skein/paxos').AcceptorRecord} */
function recordOf(key, version) {
  const ballot = { counter: version, proposer: 'r1', incarnation: 1 }
  const data = `${key}@${version};`.repeat(1 + random(2 * Math.ceil(Number(bytes) / 10)))
  return {
    promised: ballot,
    accepted: ballot,
    register: { version, fence: version, data, clients: [], forgotten: 0 },
  }
}

const versions = new Map()
for (let number = 1; ; number++) {
  const keys = new Set(Array.from({ length: 1 + random(4) }, () => `key${random(30)}`))
  const writes = [...keys].map((key) => {
    const version = (versions.get(key) ?? store.get(key)?.register.version ?? 0) + 1
    versions.set(key, version)
    return { number, kind: 'record', key, record: recordOf(key, version) }
  })
  await write(() => writes).catch(refused)
  // Synchronous: what is printed reached the pipe, whenever the kill comes.
  for (const { key, record } of writes) writeSync(1, `${key} ${record.register.version}\n`)
}
