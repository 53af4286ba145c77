import { PAXOS_LIMITS } from './limits.js'
import type { OperationId } from './operations.js'
import type { ClientRecord, Register, StoredResult } from './register.js'

/**
 * What a register remembers of an operation: its result, that it was never applied (`unknown`), or that
 * this cannot be told any more (`forgotten`).
 */
export function recall(
  register: Register,
  { client, sequence }: OperationId,
  since: number,
): StoredResult | 'unknown' | 'forgotten' {
  const record = register.clients.find((known) => known.client === client)
  const result = record?.results.find((known) => known.sequence === sequence)
  if (result !== undefined) return result
  if (record !== undefined && sequence <= record.settled) return 'forgotten'
  // It may have been applied after `since`, and its client dropped after that.
  return since < register.forgotten ? 'forgotten' : 'unknown'
}

/** Adds a result and moves its client to the end, as the one that wrote last. */
export function recordResult(
  register: Register,
  { client }: OperationId,
  settled: number,
  result: StoredResult,
): Register {
  const known = register.clients.find((record) => record.client === client)
  const record = withResult(known ?? { client, settled: 0, results: [] }, settled, result)
  return { ...register, clients: [...register.clients.filter((other) => other !== known), record] }
}

/** Drops the clients that wrote longest ago where there are too many. */
export function forget(register: Register): Register {
  const excess = register.clients.length - PAXOS_LIMITS.clientsMax
  if (excess <= 0) return register
  const newest = register.clients
    .slice(0, excess)
    .flatMap(({ results }) => results)
    .reduce((version, result) => Math.max(version, result.version), register.forgotten)
  return { ...register, clients: register.clients.slice(excess), forgotten: newest }
}

function withResult(record: ClientRecord, settled: number, result: StoredResult): ClientRecord {
  let floor = Math.max(record.settled, Math.min(settled, result.sequence - 1))
  const results = [...record.results.filter(({ sequence }) => sequence > floor), result]
  // By version: the newest stays, so that dropping the client later forgets up to the right version.
  while (results.length > PAXOS_LIMITS.resultsPerClientMax) floor = Math.max(floor, results.shift()!.sequence)
  return { client: record.client, settled: floor, results }
}
