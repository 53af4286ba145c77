import type { ClientRecord, Register } from '@skein/paxos'

/**
 * Whether one register can have come of another by operations alone: it is newer, and remembers every result
 * that the older one does, but those that it was allowed to forget. Every version leaves a result, so a
 * register of another branch lacks at least the older one's last.
 */
export function isAncestor(older: Register, newer: Register): boolean {
  if (older === newer) return true
  if (newer.version < older.version || newer.fence < older.fence) return false
  if (newer.version === older.version) return isSameRegister(older, newer)
  return older.clients.every((record) => remembers(newer, record))
}

export function isSameRegister(a: Register, b: Register): boolean {
  if (a === b) return true
  return (
    a.version === b.version &&
    a.fence === b.fence &&
    a.data === b.data &&
    a.forgotten === b.forgotten &&
    a.clients.length === b.clients.length &&
    a.clients.every((record, index) => isSameRecord(record, b.clients[index]!))
  )
}

function remembers(register: Register, { client, results }: ClientRecord): boolean {
  const known = register.clients.find((record) => record.client === client)
  return results.every(({ sequence, applied, version }) => {
    const result = known?.results.find((other) => other.sequence === sequence)
    if (result !== undefined) return result.version === version && result.applied === applied
    return (known !== undefined && known.settled >= sequence) || register.forgotten >= version
  })
}

function isSameRecord(a: ClientRecord, b: ClientRecord): boolean {
  if (a === b) return true
  return (
    a.client === b.client &&
    a.settled === b.settled &&
    a.results.length === b.results.length &&
    a.results.every((result, index) => {
      const other = b.results[index]!
      return (
        result.sequence === other.sequence &&
        result.applied === other.applied &&
        result.version === other.version &&
        result.fence === other.fence
      )
    })
  )
}
