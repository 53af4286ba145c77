import { type AcceptorRecord, compareKeys } from '@skein/paxos'
import type { ClusterStorage } from './storage.js'

/**
 * Forgets everything with its process, and so belongs to a store id that is used once: what it promised
 * cannot be asked for again under the same name.
 */
export function memoryStorage(): ClusterStorage {
  const records = new Map<string, AcceptorRecord>()
  return {
    store: {
      get: (key) => records.get(key),
      keys: (after, limit) =>
        [...records.keys()]
          .filter((key) => compareKeys(key, after) > 0)
          .sort(compareKeys)
          .slice(0, limit),
    },
    meta: undefined,
    configuration: undefined,
    async save() {},
    checkpoints: () => 0,
    async write(take) {
      // With what else comes in this turn, as a disk would.
      await new Promise((resolve) => setImmediate(resolve))
      for (const write of take()) {
        if (write.kind === 'record') records.set(write.key, write.record)
      }
    },
  }
}
