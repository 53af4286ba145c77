import type { Store } from './store.js'

/**
 * A store that keeps nothing: the replica lives as long as the process or tab. Loads as empty, and
 * appends resolve at once, since there is no disk to wait for.
 */
export function memoryStore(): Store {
  return {
    kind: 'memory',
    load: async () => ({ updates: [], queued: 0, epoch: '', strong: [] }),
    append: async () => {},
    setQueued: async () => {},
    setEpoch: async () => {},
    setStrong: async () => {},
    close: async () => {},
  }
}
